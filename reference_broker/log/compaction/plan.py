"""What of a log may be compacted now, whether it is dirty enough, and which segments become one."""

from __future__ import annotations

import itertools
from typing import Final

from msgspec import Struct

from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.segment import Segment

LARGEST_DELTA: Final = 0x7FFFFFFF
"""The offsets of a segment are told from its base in 31 bits."""


class Plan(Struct, frozen=True, kw_only=True):
    """A round over a log: what is clean up to `first_dirty`, and what may be touched up to `end` (offsets).

    `clean_bytes` and `dirty_bytes` are those of whole segments; `is_late` says that max.compaction.lag.ms has passed
    for something that is dirty.
    """

    first_dirty: int
    end: int
    clean_bytes: int
    dirty_bytes: int
    is_late: bool

    @property
    def dirty_ratio(self) -> float:
        """The dirty part of what may be touched; 0 where that is nothing."""
        total = self.clean_bytes + self.dirty_bytes
        return self.dirty_bytes / total if total else 0.0

    def is_wanted(self, least_ratio: float) -> bool:
        """Whether there is enough to do, or something has waited for too long."""
        return bool(self.dirty_bytes) and (self.is_late or self.dirty_ratio > least_ratio)


def plan_for(log: PartitionLog, checkpoint: int | None, now_ms: int) -> Plan:
    """What a round would do. A checkpoint outside the log counts for nothing: then all of it is dirty."""
    first_dirty = log.log_start_offset if checkpoint is None else checkpoint
    if not log.log_start_offset <= first_dirty <= log.log_end_offset:
        first_dirty = log.log_start_offset
    end = max(first_dirty, _first_untouchable(log, first_dirty, now_ms))
    stop = log.segments[log.segment_of(end)].base_offset  # segments are compacted as a whole
    dirty = _closed(log, min(first_dirty, stop), stop)
    lag_ms = log.config.max_compaction_lag_ms
    firsts = [one.first_timestamp or 0 for one in _closed(log, first_dirty)]
    earliest = min((first for first in firsts if first > 0), default=None)
    return Plan(
        first_dirty=first_dirty,
        end=stop,
        clean_bytes=sum(one.size for one in _closed(log, 0, first_dirty) if one not in dirty),
        dirty_bytes=sum(one.size for one in dirty),
        is_late=earliest is not None and earliest < now_ms - lag_ms,
    )


def _first_untouchable(log: PartitionLog, first_dirty: int, now_ms: int) -> int:
    """Neither the last segment, nor what may still be taken back, nor what is younger than min.compaction.lag.ms."""
    bounds = [log.last_stable_offset, log.segments[-1].base_offset]
    lag_ms = log.config.min_compaction_lag_ms
    if lag_ms > 0:
        bounds += [one.base_offset for one in _closed(log, first_dirty) if one.max_timestamp > now_ms - lag_ms][:1]
    return min(bounds)


def _closed(log: PartitionLog, start: int, stop: int = 1 << 63) -> list[Segment]:
    """The segments but the last that hold offsets from `start` on, up to those that begin at `stop` or later."""
    pairs = itertools.pairwise(log.segments)
    return [one for one, after in pairs if after.base_offset > start and one.base_offset < stop]


def groups(log: PartitionLog, end: int) -> list[list[Segment]]:
    """The segments before an offset, together as far as their sum fits into one segment and its indexes."""
    config = log.config
    found: list[list[Segment]] = []
    size = entries = times = 0
    for segment, following in zip(log.segments[:-1], log.segments[1:], strict=True):
        if segment.base_offset >= end:
            break
        is_near = bool(found) and (
            not segment.size or following.base_offset - 1 - found[-1][0].base_offset <= LARGEST_DELTA
        )
        size, entries, times = size + segment.size, entries + segment.offsets.bytes, times + segment.times.bytes
        if is_near and size <= config.segment_bytes and max(entries, times) <= config.segment_index_bytes:
            found[-1].append(segment)
        else:
            found.append([segment])
            size, entries, times = segment.size, segment.offsets.bytes, segment.times.bytes
    return found
