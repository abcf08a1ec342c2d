"""Lets every client write to the topic of committed offsets.

**Bug** Produce does not look whether a topic is internal: a client that takes it for its own spoils every group's
offsets.

**Rejected by**
`checks/protocol/test_internal_topics.py::test_nobody_writes_to_it[v9]`: INVALID_TOPIC_EXCEPTION
"""

from __future__ import annotations

from typing import Any

from reference_broker.replication.partition import Partition


def plant() -> None:
    """Puts it in."""
    begin = Partition.__init__

    def public(partition: Partition, *arguments: Any, **more: Any) -> None:
        begin(partition, *arguments, **more)
        partition.is_internal = False

    Partition.__init__ = public
