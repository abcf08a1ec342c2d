"""Commits offsets of topics and partitions that are not there.

**Bug** OffsetCommit looks at no topic: a typing error in a topic's name is acknowledged, and nobody finds the offset
again.

**Rejected by**
`checks/groups/test_offset_commit.py::test_an_unknown_id_is_refused[unknown]`: 0 == <ErrorCode.UNKNOWN_TOPIC_ID: 100>
`checks/groups/test_offset_commit.py::test_an_unknown_partition_is_refused[v10--1]`:
0 == <ErrorCode.UNKNOWN_TOPIC_OR_PARTITION: 3>
`checks/groups/test_offset_commit.py::test_an_unknown_topic_is_refused[v2]`:
0 == <ErrorCode.UNKNOWN_TOPIC_OR_PARTITION: 3>
`checks/groups/test_offset_commit.py::test_each_partition_has_an_answer_of_its_own[v2]`:
nowhere', 0): <ErrorCode.UNKNOWN_TOPIC_OR_PARTITION: 3>}
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from reference_broker.apis import offset_commit
from reference_broker.wire.errors import ErrorCode


class Everything:
    """Partitions that are all there."""

    def __contains__(self, index: object) -> bool:
        return True


def plant() -> None:
    """Puts it in."""
    resolve = offset_commit._resolve

    def invent(asked: Any, ctx: Any) -> tuple[Any, ErrorCode]:
        found, code = resolve(asked, ctx)
        name, own_id = (asked.name, asked.topic_id) if found is None else (found.name, found.id)
        return SimpleNamespace(name=name, id=own_id, partitions=Everything()), code

    offset_commit._resolve = invent
