"""A node's clocks in virtual time: each may be set wrong, jump, and run too fast or too slow."""

from __future__ import annotations

from typing import Final

from reference_broker.environment import Now
from reference_broker.waiting import NEVER_MS

BEGINNING_MS: Final = 1_800_000_000_000
"""What a right wall clock shows when a world begins, in ms since the epoch; later than the times that checks give to
records, as that of a real clock is."""
MILLION: Final = 1_000_000
NEVER_US: Final = NEVER_MS


class NodeClock:
    """The clocks of one node. `drift_ppm` is how much too fast the monotonic one runs, in millionths."""

    def __init__(self, *, wall_offset_ms: int = 0, drift_ppm: int = 0) -> None:
        self.wall_offset_ms, self._drift_ppm = wall_offset_ms, drift_ppm
        self._since_us, self._base_us = 0, 0
        self.shown_us, self.shown = -1, Now(0, 0)
        """What was shown last, and when."""

    def now(self, time_us: int) -> Now:
        """What the node's clocks show at a time of the world, in µs."""
        if time_us != self.shown_us:
            passed_us = self._base_us + (time_us - self._since_us) * (MILLION + self._drift_ppm) // MILLION
            passed_ms = passed_us // 1000
            self.shown_us, self.shown = time_us, Now(BEGINNING_MS + self.wall_offset_ms + passed_ms, passed_ms)
        return self.shown

    def time_of(self, monotonic_ms: int) -> int:
        """The first time of the world, in µs, at which the monotonic clock shows so much."""
        if monotonic_ms >= NEVER_MS:
            return NEVER_US
        ahead_us = max(0, monotonic_ms * 1000 - self._base_us)
        return self._since_us - (-ahead_us * MILLION // (MILLION + self._drift_ppm))

    def jump(self, by_ms: int) -> None:
        """Set the wall clock forward, or back by a negative number."""
        self.wall_offset_ms += by_ms
        self.shown_us = -1

    def run_at(self, drift_ppm: int, time_us: int) -> None:
        """From now on, at `time_us`, run faster or slower."""
        self._base_us += (time_us - self._since_us) * (MILLION + self._drift_ppm) // MILLION
        self._since_us, self._drift_ppm = time_us, drift_ppm
        self.shown_us = -1
