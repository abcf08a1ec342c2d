"""Where a run stands while it runs, and which phases it had."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a run stands, for people who watch."""

    phase: str
    elapsed_s: float
    sent: int
    acknowledged: int
    read: int
    lag: int
    """Records that were acknowledged, and that the reader furthest behind has not reached."""
    faults: int


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of a run, in seconds since its start."""

    name: str
    start_s: float
    stop_s: float


@dataclass(slots=True)
class Counts:
    """What the threads of a run count."""

    phase: str = "start"
    sent: int = 0
    acknowledged: int = 0
    read: int = 0
    faults: int = 0

    def progress(self, elapsed_s: float, lag: int) -> Progress:
        """As it is now."""
        return Progress(
            phase=self.phase,
            elapsed_s=elapsed_s,
            sent=self.sent,
            acknowledged=self.acknowledged,
            read=self.read,
            lag=lag,
            faults=self.faults,
        )
