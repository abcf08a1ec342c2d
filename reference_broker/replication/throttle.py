"""How many bytes of replication may pass in a second, and of which replicas.

A throttle concerns the replicas that a topic names (leader. and follower.replication.throttled.replicas), and of them
only those that are not in sync: those in sync are counted, and never held back. Source: KIP-73.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

LEADER_RATE: Final = "leader.replication.throttled.rate"
FOLLOWER_RATE: Final = "follower.replication.throttled.rate"
MOVE_RATE: Final = "replica.alter.log.dirs.io.max.bytes.per.second"
"""Dynamic settings of brokers, in bytes per second."""
ALL: Final = ("*", "all")
NONE: Final = ("", "none")


@dataclass(slots=True)
class ByteRate:
    """Bytes per second over the last `count` windows of `window_ms`, the present one among them."""

    count: int = 11
    window_ms: int = 1_000
    _windows: deque[list[int]] = field(default_factory=deque)
    """[begin (monotonic), bytes]."""

    def record(self, size: int, monotonic_ms: int) -> None:
        """So many bytes have passed."""
        windows = self._windows
        if not windows or monotonic_ms - windows[-1][0] >= self.window_ms:
            windows.append([monotonic_ms, 0])
            if len(windows) > self.count:
                windows.popleft()
        windows[-1][1] += size

    def at(self, monotonic_ms: int) -> float:
        """Over the time since the oldest window began, but over one window at least."""
        windows = self._windows
        while windows and monotonic_ms - windows[0][0] >= self.count * self.window_ms:
            windows.popleft()
        if not windows:
            return 0.0
        return 1000 * sum(size for _, size in windows) / max(monotonic_ms - windows[0][0], self.window_ms)


@dataclass(slots=True)
class Throttle:
    """`limit` is in bytes per second, None for none."""

    limit: int | None = None
    rate: ByteRate = field(default_factory=ByteRate)

    def record(self, size: int, monotonic_ms: int) -> None:
        """So many bytes of throttled replicas have passed."""
        self.rate.record(size, monotonic_ms)

    def is_exceeded(self, monotonic_ms: int) -> bool:
        """Whether more has passed than may."""
        return self.limit is not None and self.rate.at(monotonic_ms) > self.limit


@dataclass(slots=True)
class Throttles:
    """Those of a broker: of what it sends as leader, what it fetches as follower, what it moves between folders."""

    leader: Throttle = field(default_factory=Throttle)
    follower: Throttle = field(default_factory=Throttle)
    move: Throttle = field(default_factory=Throttle)

    def configure(self, *settings: Mapping[str, str]) -> None:
        """Take the limits from dynamic settings, of which later ones overrule earlier ones."""
        for throttle, name in ((self.leader, LEADER_RATE), (self.follower, FOLLOWER_RATE), (self.move, MOVE_RATE)):
            found = [one[name] for one in settings if name in one]
            throttle.limit = int(found[-1]) if found else None


def is_throttled(listed: str, partition: int, broker_id: int) -> bool:
    """Whether a list of throttled replicas, as the topic has it, names the replica of a partition on a broker."""
    if listed in NONE:
        return False
    return listed in ALL or (partition, broker_id) in _parsed(listed)


@lru_cache(maxsize=256)
def _parsed(listed: str) -> frozenset[tuple[int, int]]:
    """PARTITION:BROKER,PARTITION:BROKER,… as numbers; the setting's validator has seen that they are."""
    pairs = (one.strip().split(":") for one in listed.split(",") if one.strip())
    return frozenset((int(partition), int(broker)) for partition, broker in pairs)
