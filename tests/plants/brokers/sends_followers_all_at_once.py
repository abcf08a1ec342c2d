"""Sends followers what they lack, whatever the throttle says.

**Bug** leader.replication.throttled.rate is kept and not heeded, so a replica that is moved takes all
bandwidth (KIP-73).

**Rejected by**
`checks/protocol/test_replication_throttles.py::test_a_follower_not_in_sync_is_held_back`:
a follower gets nothing once the limit is exceeded
"""

from __future__ import annotations

from reference_broker.replication.leader import Leader


def plant() -> None:
    """Plants it."""

    def never(self: Leader, replica_id: int, monotonic_ms: int) -> bool:
        return False

    Leader.holds_back = never  # type: ignore[method-assign]
