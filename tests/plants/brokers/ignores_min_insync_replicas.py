"""Acknowledges acks=all however few replicas are in sync.

**Bug** min.insync.replicas counts as 1.

**Rejected by**
`checks/protocol/test_followers_are_served.py::test_too_few_replicas_in_sync_take_nothing`:
answer to acks=all with one of two in sync
`checks/durability/test_too_few_replicas.py`: answer to acks=all with one replica in sync
`python -m harness simulate`: in sync, fewer than 2
"""

from __future__ import annotations

from reference_broker.replication.leader import Leader


def plant() -> None:
    """Plants it."""

    def one(self: Leader) -> None:
        self.min_isr = 1

    Leader.count_min_isr = one  # type: ignore[method-assign]
