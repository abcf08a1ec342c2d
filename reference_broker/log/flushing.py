"""What of a log is not durable yet, as things to flush by whoever carries out the effect."""

from __future__ import annotations

from reference_broker.environment import Disk
from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.segment import Segment


class SegmentFlush:
    """A segment to flush. One that was truncated away in the meantime has nothing left to flush."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment

    def flush(self) -> None:
        """Bring the segment to stable storage."""
        try:
            self._segment.flush()
        except OSError:
            if not self._segment.is_closed:
                raise


class FolderFlush:
    """The names in a log's folder, of files that were made or removed."""

    def __init__(self, disk: Disk, directory: str) -> None:
        self._disk, self._directory = disk, directory

    def flush(self) -> None:
        """Bring the names to stable storage."""
        self._disk.flush_directory(self._directory)


def take_flush_targets(log: PartitionLog) -> tuple[SegmentFlush | FolderFlush, ...]:
    """What to flush so that all that was appended is durable. Flushes of one log have to be carried out in order."""
    segments = log.segments[log.segment_of(log.recovery_point) :]
    targets: list[SegmentFlush | FolderFlush] = [SegmentFlush(segment) for segment in segments]
    if log.has_new_files:
        targets.append(FolderFlush(log.disk, log.directory))
        log.has_new_files = False
    return tuple(targets)
