"""The machine's clocks."""

from __future__ import annotations

import time

from reference_broker.environment import Now

NS_IN_A_MS = 1_000_000


def now() -> Now:
    """The time by both clocks."""
    return Now(time.time_ns() // NS_IN_A_MS, time.monotonic_ns() // NS_IN_A_MS)


def monotonic_ms() -> int:
    """The monotonic clock alone."""
    return time.monotonic_ns() // NS_IN_A_MS
