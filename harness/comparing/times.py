"""Which times two runs may tell differently: those of their own present. Pure."""

from __future__ import annotations

from typing import Final

LONG_MAX: Final = 2**63 - 1
LOCAL_SLACK_MS: Final = 1_000
"""Of clusters whose clock is this machine's."""
REMOTE_SLACK_MS: Final = 60_000
"""Of clusters on other machines, whose clocks are their own."""


class Window:
    """The present of one check: from its first request to the answer at hand, with a slack on both sides (ms)."""

    def __init__(self, first_ms: int, slack_ms: int = LOCAL_SLACK_MS) -> None:
        self.first_ms = first_ms
        self.slack_ms = slack_ms
        self.last_ms = first_ms
        """Time of the last message."""
        self._distances: dict[int, str] = {0: "now"}

    def add_distances(self, *distances_ms: int) -> None:
        """Times at these distances from the present are told as such: "now+3600000". The present itself goes first."""
        self._distances |= {distance: f"now{distance:+}" for distance in distances_ms}

    def told(self, value: int, since_ms: int | None = None) -> str | None:
        """What a time is called that is of the present, or at a known distance from it; None for any other number.

        `since_ms` narrows the present to what came after it.
        """
        first = (self.first_ms if since_ms is None else since_ms) - self.slack_ms
        for distance, name in self._distances.items():
            if first <= value - distance <= self.last_ms + self.slack_ms:
                return name
        return None

    def told_in_text(self, value: int) -> str | None:
        """The same for a number in a message, where Kafka may have taken the largest time from it."""
        if (name := self.told(value)) is not None:
            return name
        return None if (name := self.told(value + LONG_MAX)) is None else f"{name} less the largest time"
