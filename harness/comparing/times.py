"""Recognizes times that differ between runs, because they lie in the run's present. Pure."""

from __future__ import annotations

from typing import Final

LONG_MAX: Final = 2**63 - 1
LOCAL_SLACK_MS: Final = 1_000
"""Slack for clusters that use this machine's clock."""
REMOTE_SLACK_MS: Final = 60_000
"""Slack for clusters on other machines, which have their own clocks."""


class Window:
    """The present of one check: from its first request to the current answer, plus slack on both sides (ms)."""

    def __init__(self, first_ms: int, slack_ms: int = LOCAL_SLACK_MS) -> None:
        self.first_ms = first_ms
        self.slack_ms = slack_ms
        self.last_ms = first_ms
        """Time of the last message."""
        self._distances: dict[int, str] = {0: "now"}

    def add_distances(self, *distances_ms: int) -> None:
        """Names times at these distances (ms) from the present: "now+3600000". The present itself stays "now"."""
        self._distances |= {distance: f"now{distance:+}" for distance in distances_ms}

    def told(self, value: int, since_ms: int | None = None) -> str | None:
        """The name of a time in the present or at a known distance from it; None for any other number.

        With `since_ms`, the present begins at this time.
        """
        first = (self.first_ms if since_ms is None else since_ms) - self.slack_ms
        for distance, name in self._distances.items():
            if first <= value - distance <= self.last_ms + self.slack_ms:
                return name
        return None

    def told_in_text(self, value: int) -> str | None:
        """As `told`, for a number in a string; also recognizes a time minus LONG_MAX, which Kafka may print."""
        if (name := self.told(value)) is not None:
            return name
        return None if (name := self.told(value + LONG_MAX)) is None else f"{name} less the largest time"
