"""Holds followers back that are in sync.

**Bug** A throttle concerns every follower, so acks=all waits for replicas that get nothing (KIP-73).

**Rejected by**
`checks/protocol/test_replication_throttles.py::test_a_follower_in_sync_is_not_held_back`:
Batches that a follower in sync gets from offset
"""

from __future__ import annotations

from reference_broker.replication.leader import Leader


def plant() -> None:
    """Plants it."""

    def always(self: Leader, replica_id: int, monotonic_ms: int) -> bool:
        return self.is_throttled and self._local.throttles.leader.is_exceeded(monotonic_ms)

    Leader.holds_back = always  # type: ignore[method-assign]
