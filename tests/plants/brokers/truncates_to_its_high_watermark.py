"""Cuts its log at its high watermark instead of where the logs part.

**Bug** As before KIP-101: what is above a follower's high watermark goes, though all replicas in sync may have it.

**Rejected by**
`checks/protocol/test_leaders_are_followed.py::test_a_follower_cuts_where_the_logs_part`:
offsets from which the follower fetched first
"""

from __future__ import annotations

from reference_broker.replication.follower import Follower


def plant() -> None:
    """Plants it."""

    def truncate(self: Follower, epoch: int, end_offset: int) -> None:
        self._truncate_to(self.log.high_watermark)

    Follower.truncate_for = truncate  # type: ignore[method-assign]
