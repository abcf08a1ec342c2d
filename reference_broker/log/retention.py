"""Which segments a log no longer has to keep, and how they go. Source: Kafka documentation, "Topic Configs".

Compaction is another policy: see `log.compaction`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_broker.log.segment import SNAPSHOT, Segment

if TYPE_CHECKING:
    from reference_broker.log.partition_log import PartitionLog

DOOMED_SUFFIX = ".deleted"


def delete_below_start(log: PartitionLog, now_ms: int) -> int:
    """Take out the segments that end before the log starts; returns how many went. None while the log is compacted."""
    if log.is_compacting:
        return 0
    count = 0
    while len(log.segments) > 1 and log.segments[1].base_offset <= log.log_start_offset:
        doom_first(log, now_ms)
        count += 1
    return count


def delete_old_segments(log: PartitionLog, now_ms: int) -> int:
    """Take out segments below the log's start, then old ones by time or size, from the oldest on; how many went.

    Only what readers may see already can go. When even the last segment is old, an empty one follows it.
    """
    count = delete_below_start(log, now_ms)
    if not log.config.has_deletion or log.is_compacting:
        return count
    while _may_go(log) and (_is_expired(log, log.segments[0], now_ms) or _is_surplus(log, log.segments[0])):
        if len(log.segments) == 1:
            log.roll(now_ms)
        doom_first(log, now_ms)
        count += 1
    if count:
        log.raise_log_start(log.segments[0].base_offset)
    return count


def _may_go(log: PartitionLog) -> bool:
    first = log.segments[0]
    if len(log.segments) == 1 and first.size == 0:
        return False
    end = log.log_end_offset if len(log.segments) == 1 else log.segments[1].base_offset
    return end <= log.high_watermark


def _is_expired(log: PartitionLog, segment: Segment, now_ms: int) -> bool:
    limit = log.config.retention_ms
    if limit < 0:
        return False
    newest = segment.max_timestamp if segment.max_timestamp >= 0 else log.disk.modified_ms(f"{segment.stem}.log")
    return now_ms - newest > limit


def _is_surplus(log: PartitionLog, segment: Segment) -> bool:
    limit = log.config.retention_bytes
    return limit >= 0 and log.size - segment.size >= limit


def doom_first(log: PartitionLog, now_ms: int) -> None:
    """Take the first segment out."""
    doom(log, log.segments.pop(0), now_ms)


def doom(log: PartitionLog, segment: Segment, now_ms: int, *, keeps_snapshot: bool = False) -> None:
    """Have a segment that was taken out go; its files stay for file.delete.delay.ms, for answers still being sent."""
    segment.change_suffix(DOOMED_SUFFIX)
    snapshot = f"{segment.stem}{SNAPSHOT}"
    if not keeps_snapshot and log.disk.exists(snapshot):
        log.disk.rename(snapshot, f"{snapshot}{DOOMED_SUFFIX}")
    log.doomed.append((now_ms + log.config.file_delete_delay_ms, segment))
