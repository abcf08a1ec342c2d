"""The time that passes for the cluster under check: this machine's, or virtual time. Used as the module `time` is."""

from __future__ import annotations

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


def sleep(seconds: float) -> None:
    """Lets time pass."""
    current().sleep(seconds)
