"""When the last segment of a log is closed, and another begins.

Source: Kafka documentation, "Topic Configs": segment.*.
"""

from __future__ import annotations

from reference_broker.environment import Random
from reference_broker.log.config import LogConfig
from reference_broker.log.segment import Segment
from reference_broker.wire.records import LENGTH_END, BatchHeader

LARGEST_DELTA = 0x7FFFFFFF
"""The offsets of a segment are told from its base in 31 bits."""


class Rolling:
    """The rule for one log, and what it knows of the last segment: when that was begun, and its jitter.

    The jitter keeps the segments of many partitions from being closed at the same time; each segment draws its own, up
    to segment.jitter.ms. Without `random` there is none.
    """

    def __init__(self, config: LogConfig, random: Random | None) -> None:
        self._random = random
        self._config = config
        self._born_ms: int | None = None
        self._jitter_ms = self._drawn_jitter()
        self._most_ms = config.roll_after_ms - self._jitter_ms

    def begin(self, now_ms: int) -> None:
        """The last segment was begun, or opened, at this time."""
        self._born_ms = now_ms
        self._jitter_ms = self._drawn_jitter()
        self._most_ms = self._config.roll_after_ms - self._jitter_ms

    def reconfigure(self, config: LogConfig) -> None:
        """Let other settings count from now on; the last segment keeps its jitter."""
        self._config = config
        self._most_ms = config.roll_after_ms - self._jitter_ms

    def _drawn_jitter(self) -> int:
        most = min(self._config.segment_jitter_ms, self._config.segment_ms)
        return self._random.randrange(0, most) if self._random is not None and most > 0 else 0

    def is_due(self, segment: Segment, header: BatchHeader, end_offset: int, now_ms: int) -> bool:
        """Whether a batch has no room in the last segment: that is full, old, or begins too far from it.

        Its age is that of its first batch by the new batch's timestamp; where there are no timestamps, by the clock.
        """
        if self._born_ms is None:
            self._born_ms = now_ms
        size = segment.size
        if not size:
            return False
        first = segment.first_timestamp
        age_ms = now_ms - self._born_ms if first is None or first < 0 else header.max_timestamp - first
        return (
            size + header.batch_length + LENGTH_END > self._config.segment_bytes
            or age_ms > self._most_ms
            or segment.offsets.is_full
            or segment.times.is_full
            or end_offset + header.last_offset_delta - segment.base_offset > LARGEST_DELTA
        )
