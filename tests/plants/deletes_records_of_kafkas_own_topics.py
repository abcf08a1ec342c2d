"""Lets clients delete records of Kafka's own topics.

**Bug** DeleteRecords does not look whether a topic is internal: a client can delete the offsets of all groups.

**Rejected by**
`checks/retention/test_delete_records.py::test_kafkas_own_topics_keep_their_records[v0]`:
44 == <ErrorCode.INVALID_TOPIC_EXCEPTION: 17>
"""

from __future__ import annotations

from reference_broker.apis import delete_records


def plant() -> None:
    """Puts it in."""
    delete_records.INTERNAL_TOPICS = frozenset()
