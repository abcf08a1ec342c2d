"""Knows no producers when it becomes leader.

**Bug** A follower does not note the producers of what it appends, so what they send again is appended twice.

**Rejected by**
`checks/protocol/test_leaders_are_followed.py::test_a_new_leader_knows_the_producers`:
(error, offset) of a batch that is sent again
`python -m harness simulate`: from an idempotent producer
"""

from __future__ import annotations

from reference_broker.environment import Now
from reference_broker.replication.leader import Leader


def plant() -> None:
    """Plants it."""
    plain = Leader._begin_epoch

    def begin(self: Leader, epoch: int, now: Now) -> None:
        plain(self, epoch, now)
        self.log.producers.clear()

    Leader._begin_epoch = begin  # type: ignore[method-assign]
