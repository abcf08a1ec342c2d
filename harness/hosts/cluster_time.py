"""The time that passes for the cluster under check: this machine's, or virtual time. Used as the module `time` is."""

from __future__ import annotations

import time as local_time

from harness.hosts.executor import current


def monotonic() -> float:
    """Seconds on a clock that never goes back."""
    return current().now_ns() / 1e9


def time() -> float:
    """Seconds since 1970."""
    return current().wall_ms() / 1000


def time_ns() -> int:
    """Nanoseconds since 1970, exact to a millisecond."""
    return current().wall_ms() * 1_000_000


def local_second() -> str:
    """The second that has just begun, as this machine's local time: "2026-11-30 15:30:00"."""
    return local_time.strftime("%Y-%m-%d %H:%M:%S", local_time.localtime(int(time())))


def sleep(seconds: float) -> None:
    """Lets time pass."""
    current().sleep(seconds)
