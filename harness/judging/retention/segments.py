"""Which segments a log must consist of, from its batches and its settings.

A segment ends where the next batch would make it too large (segment.bytes), or is too much later than its first one
(segment.ms). It also ends where retention took all that there was: the active segment goes only when an empty one has
followed it. Source: Kafka documentation, "Topic Configs"; KIP-32 for times.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from harness.judging.retention.log_history import NO_TIMESTAMP, Append, Rules

FILE_CLOCK_MS = 10
"""How much too early a file system may tell when a file was changed."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Batches of one file."""

    batches: tuple[Append, ...]

    @property
    def base_offset(self) -> int:
        """Its first offset."""
        return self.batches[0].base_offset

    @property
    def end_offset(self) -> int:
        """The offset after its last one."""
        return self.batches[-1].last_offset + 1

    @property
    def size(self) -> int:
        """Its bytes."""
        return sum(batch.size for batch in self.batches)

    @property
    def max_timestamp(self) -> int:
        """The largest of its timestamps (ms); -1 where it has none."""
        return max(batch.max_timestamp for batch in self.batches)

    @property
    def latest_ms(self) -> tuple[int, int]:
        """From when its age counts, at the earliest and at the latest: the largest timestamp; without any, when its
        file was last changed."""
        if self.max_timestamp != NO_TIMESTAMP:
            return self.max_timestamp, self.max_timestamp
        return self.batches[-1].began_ms - FILE_CLOCK_MS, self.batches[-1].ended_ms


def segments_of(appends: Sequence[Append], rules: Rules, ended_at: Collection[int] = ()) -> list[Segment]:
    """The segments of a log; some ended at these offsets although there was room for more."""
    found: list[list[Append]] = []
    size = 0
    for batch in appends:
        if not found or batch.base_offset in ended_at or _must_roll(found[-1][0], size, batch, rules):
            found.append([])
            size = 0
        found[-1].append(batch)
        size += batch.size
    return [Segment(tuple(batches)) for batches in found]


def _must_roll(first: Append, size: int, batch: Append, rules: Rules) -> bool:
    if size + batch.size > rules.segment_bytes:
        return True
    return first.max_timestamp >= 0 and batch.max_timestamp - first.max_timestamp > rules.segment_ms
