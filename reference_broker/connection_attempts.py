"""When a connection to a peer is attempted, and how long an attempt may take.

After one that failed the next waits: 50 ms, twice as long each time, at most a second. An attempt that takes longer
than socket.connection.setup.timeout.ms fails; the limit doubles with each failure, up to
socket.connection.setup.timeout.max.ms. Source: KIP-144 (back-off), KIP-601 (set-up time-out).
"""

from __future__ import annotations

from typing import Final

from reference_broker.environment import Random
from reference_broker.waiting import NEVER_MS

BACKOFF_MS: Final = 50
LONGEST_BACKOFF_MS: Final = 1000
JITTER: Final = 0.2
"""By how much of itself a time is longer or shorter, at random, so that nodes do not act in step."""
MOST_DOUBLINGS: Final = 16


class ConnectionAttempts:
    """Those to one peer. Times are monotonic, in ms.

    `failures` counts those that failed since the peer last answered. The next may begin at `retry_at_ms`; the present
    one has failed at `connect_by_ms`, NEVER_MS where none is under way.
    """

    __slots__ = ("_random", "_timeout_max_ms", "_timeout_ms", "connect_by_ms", "failures", "retry_at_ms")

    def __init__(self, random: Random, *, timeout_ms: int, timeout_max_ms: int) -> None:
        """The settings of the set-up time-out."""
        self._random, self._timeout_ms, self._timeout_max_ms = random, timeout_ms, timeout_max_ms
        self.failures = 0
        self.retry_at_ms = 0
        self.connect_by_ms = NEVER_MS

    def begin(self, now_ms: int) -> None:
        """An attempt begins."""
        self.connect_by_ms = now_ms + self._spread(min(self._timeout_ms << self.failures, self._timeout_max_ms))

    def end(self) -> None:
        """It has ended: there is a connection, or nobody wants one any more."""
        self.connect_by_ms = NEVER_MS

    def on_answer(self) -> None:
        """The peer has answered over a connection."""
        self.failures = 0

    def on_failure(self, now_ms: int) -> None:
        """An attempt failed, or a connection was lost: the next one waits."""
        self.connect_by_ms = NEVER_MS
        self.retry_at_ms = now_ms + self._spread(min(BACKOFF_MS << self.failures, LONGEST_BACKOFF_MS))
        self.failures = min(self.failures + 1, MOST_DOUBLINGS)

    def _spread(self, time_ms: int) -> int:
        width = int(time_ms * JITTER)
        return time_ms + self._random.randrange(-width, width + 1)
