"""The machine's clock."""

from __future__ import annotations

import time


def now_ms() -> int:
    """Milliseconds since 1970, by the wall clock: what records are stamped with."""
    return time.time_ns() // 1_000_000
