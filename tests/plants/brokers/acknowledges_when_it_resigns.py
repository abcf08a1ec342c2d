"""Acknowledges what waits when it leads no longer.

**Bug** A write that waits for its followers is answered without an error when another broker becomes leader, which may
lack it.

**Rejected by**
`checks/protocol/test_followers_are_served.py::test_a_pending_write_is_refused_when_the_leader_resigns`:
answer to a write that waits when the leader resigns
"""

from __future__ import annotations

from reference_broker.replication.leader import Leader
from reference_broker.wire.errors import ErrorCode


def plant() -> None:
    """Plants it."""

    def resign(self: Leader, code: ErrorCode) -> None:
        self._is_resigned = True
        self._waiters.refuse(ErrorCode.NONE)

    Leader.resign = resign  # type: ignore[method-assign]
