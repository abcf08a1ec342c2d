"""What of a log is not durable yet, and how it gets there: at once, or as things to flush by whoever carries out the
effect, perhaps in another thread.

A log's data, the names in its folder and its small files (partition.metadata, leader-epoch-checkpoint) are written
first and flushed later. What is not durable is found again in the batches, or is not relied on: see `LeaderEpochs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reference_broker.environment import Disk
from reference_broker.log.checkpoints import EPOCHS, write_epochs, write_topic_id
from reference_broker.log.segment import Segment
from reference_broker.log.watched_disk import unwatched_disk, unwatched_file

if TYPE_CHECKING:
    from reference_broker.log.partition_log import PartitionLog
    from reference_broker.wire.primitives import Uuid


class SegmentFlush:
    """A segment to flush. One that was truncated away in the meantime has nothing left to flush."""

    def __init__(self, segment: Segment) -> None:
        self._segment, self._file = segment, unwatched_file(segment.file)

    def flush(self) -> None:
        """Bring the segment to stable storage."""
        try:
            self._file.flush()
        except OSError:
            if not self._segment.is_closed:
                raise


class FolderFlush:
    """The names in a log's folder, of files that were made or removed."""

    def __init__(self, disk: Disk, directory: str) -> None:
        self._disk, self._directory = unwatched_disk(disk), directory

    def flush(self) -> None:
        """Bring the names to stable storage."""
        self._disk.flush_directory(self._directory)


class SmallFilesFlush:
    """The small files of a log as they are to be: `done` is called once they are durable."""

    def __init__(self, log: PartitionLog) -> None:
        self.log = log
        self._disk, self._directory = unwatched_disk(log.disk), log.directory
        self._epochs = log.epochs.entries if log.epochs.is_behind else None
        self._topic_id: Uuid | None = None if log.is_id_durable else log.topic_id
        self._is_gone = False

    def flush(self) -> None:
        """Replace them, unless the log has been deleted meanwhile."""
        try:
            if self._topic_id is not None:
                write_topic_id(self._disk, self._directory, self._topic_id)
                self._disk.flush_directory(parent_of(self._directory))
            if self._epochs is not None:
                write_epochs(self._disk, f"{self._directory}/{EPOCHS}", self._epochs)
        except FileNotFoundError:
            self._is_gone = True

    def done(self) -> None:
        """They are on stable storage, or the folder of the log is gone."""
        if self._is_gone:
            return
        if self._topic_id is not None:
            self.log.is_id_written = self.log.is_id_durable = True
        if self._epochs is not None:
            self.log.epochs.note_written(self._epochs)


@dataclass(slots=True)
class LogFlush:
    """A log's data up to an offset on the way to stable storage; `done` is called once it is there."""

    log: PartitionLog
    up_to: int
    targets: tuple[SegmentFlush | FolderFlush, ...]
    truncations: int

    def done(self) -> None:
        """After a crash the log need not be read again up to there, unless it was cut meanwhile."""
        if self.log.truncations == self.truncations:
            self.log.recovery_point = max(self.log.recovery_point, self.up_to)


def take_flush_targets(log: PartitionLog) -> tuple[SegmentFlush | FolderFlush, ...]:
    """What to flush so that all that was appended is durable. Flushes of one log have to be carried out in order."""
    return _targets(log, len(log.segments))


def begin_flush(log: PartitionLog, *, is_for_all: bool) -> LogFlush | None:
    """A flush of all that was appended, or of the segments that are full only; None where all of that is durable."""
    up_to = log.log_end_offset if is_for_all else log.segments[-1].base_offset
    if log.recovery_point >= up_to:
        return None
    stop = len(log.segments) if is_for_all else len(log.segments) - 1
    return LogFlush(log, up_to, _targets(log, stop), log.truncations)


def _targets(log: PartitionLog, stop: int) -> tuple[SegmentFlush | FolderFlush, ...]:
    segments = log.segments[log.segment_of(log.recovery_point) : stop]
    targets: list[SegmentFlush | FolderFlush] = [SegmentFlush(segment) for segment in segments]
    if log.has_new_files:
        targets.append(FolderFlush(log.disk, log.directory))
        log.has_new_files = False
    if not log.is_id_durable:
        targets.append(FolderFlush(log.disk, parent_of(log.directory)))
    return tuple(targets)


def flush_now(log: PartitionLog) -> None:
    """Return only when all that was appended is on stable storage, and the topic id with it."""
    if log.recovery_point < log.log_end_offset:
        write_id_durably(log)
        for segment in log.segments[log.segment_of(log.recovery_point) :]:
            segment.flush()
        if log.has_new_files:
            log.disk.flush_directory(log.directory)
            log.has_new_files = False
        log.recovery_point = log.log_end_offset


def write_id_durably(log: PartitionLog) -> None:
    """The folder is there and says whose it is, also after a loss of power."""
    if not log.is_id_durable:
        write_topic_id(log.disk, log.directory, log.topic_id)
        log.disk.flush_directory(parent_of(log.directory))
        log.is_id_written = log.is_id_durable = True


def parent_of(directory: str) -> str:
    """The log folder that a log's own folder stands in."""
    return directory.rpartition("/")[0]
