"""Forgets the high watermark when it becomes leader.

**Bug** What readers saw before the election is gone until the followers have fetched: the high watermark goes back.

**Rejected by**
`checks/protocol/test_leaders_are_followed.py::test_a_new_leader_tells_no_end_before_it_knows`:
high watermark of the new leader
`python -m harness simulate`: the high watermark goes back from
"""

from __future__ import annotations

from reference_broker.environment import Now
from reference_broker.replication.leader import Leader


def plant() -> None:
    """Plants it."""
    plain = Leader._begin_epoch

    def begin(self: Leader, epoch: int, now: Now) -> None:
        plain(self, epoch, now)
        self.log.high_watermark = self.log.log_start_offset

    Leader._begin_epoch = begin  # type: ignore[method-assign]
