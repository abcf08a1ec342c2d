"""A clock that goes on only where somebody sleeps."""

from __future__ import annotations


class Clock:
    """Stands in for the module `time`: it goes on only where somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def monotonic(self) -> float:
        self.now_s += 0.001
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def time_ns(self) -> int:
        return int(self.now_s * 1e9)
