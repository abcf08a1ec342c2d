"""One folder of log.dirs: its lock, its checkpoints, the partitions' logs in it, and whether it still works."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial

from reference_broker.environment import Disk, Random
from reference_broker.log.checkpoints import (
    OffsetsWrite,
    mark_clean_shutdown,
    read_offsets,
    take_clean_shutdown,
    write_offsets,
)
from reference_broker.log.config import LogConfig
from reference_broker.log.flushing import LogFlush, SmallFilesFlush, begin_flush
from reference_broker.log.folder_names import DELETE, STRAY, folder_of, mark_of, marked_folder, partition_of
from reference_broker.log.future_logs import FutureLogs
from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.producer_replay import KNOWS_ALL
from reference_broker.log.recovery import ForeignFolder, open_log, opening_log
from reference_broker.log.steps import Steps, done
from reference_broker.log.watched_disk import Watch, WatchedDisk, unwatched_disk
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.refusal import KafkaError

LOCK = ".lock"
RECOVERY_POINTS = "recovery-point-offset-checkpoint"
HIGH_WATERMARKS = "replication-offset-checkpoint"
LOG_STARTS = "log-start-offset-checkpoint"
CLEAN_UP_TO = "cleaner-offset-checkpoint"
METADATA_FOLDER = "__cluster_metadata-0"
REMOVED_AT_ONCE = 200
"""Folders of deleted logs; the others have to wait for the next time."""

TopicPartition = tuple[str, int]


class LogDirectory:
    """Made by `LogDirectory.open`. Once the disk has failed, every method but `close` raises KAFKA_STORAGE_ERROR."""

    def __init__(
        self,
        disk: Disk,
        path: str,
        random: Random,
        on_failure: Callable[[LogDirectory, OSError], None],
        on_warning: Callable[[str], None],
    ):
        self.path = path
        self._on_warning = on_warning
        self._random = random
        self._watch = Watch(path, lambda error: on_failure(self, error))
        self.disk: Disk = WatchedDisk(disk, self._watch)
        self.logs: dict[TopicPartition, PartitionLog] = {}
        self.futures = FutureLogs(self.disk, path, random)
        self.previous_broker_epoch: int | None = None
        self._recovery_points: dict[TopicPartition, int] = {}
        self._high_watermarks: dict[TopicPartition, int] = {}
        self._log_starts: dict[TopicPartition, int] = {}
        self.clean_up_to: dict[TopicPartition, int] = {}
        """The end of what compaction has gone over, of the logs that it has."""
        self._leaving: list[tuple[int, str, PartitionLog | None]] = []
        self._behind: dict[PartitionLog, None] = {}
        """Logs whose small files are not durable as they should be."""

    @classmethod
    def open(
        cls,
        disk: Disk,
        path: str,
        *,
        random: Random,
        on_failure: Callable[[LogDirectory, OSError], None],
        on_warning: Callable[[str], None],
    ) -> LogDirectory:
        """Lock the folder and read its checkpoints; take its clean-shutdown mark.

        `on_failure` is called once, with the folder and the error, when its disk fails; `on_warning` gets a line for
        what had to be repaired. OSError when another process
        holds the lock. KAFKA_STORAGE_ERROR when a checkpoint cannot be read, or makes no sense.
        """
        directory = cls(disk, path, random, on_failure, on_warning)
        directory.disk.lock(f"{path}/{LOCK}")
        directory.previous_broker_epoch = take_clean_shutdown(directory.disk, path)
        try:
            directory._recovery_points = read_offsets(directory.disk, f"{path}/{RECOVERY_POINTS}")
            directory._high_watermarks = read_offsets(directory.disk, f"{path}/{HIGH_WATERMARKS}")
            directory._log_starts = read_offsets(directory.disk, f"{path}/{LOG_STARTS}")
            directory.clean_up_to = read_offsets(directory.disk, f"{path}/{CLEAN_UP_TO}")
        except ValueError as error:
            raise directory.fail(str(error)) from error
        for name in directory.disk.list(path):
            if mark_of(name) == DELETE:
                directory._leaving.append((0, f"{path}/{name}", None))
        return directory

    @property
    def is_online(self) -> bool:
        """Whether the disk has not failed."""
        return self._watch.failure is None

    @property
    def failure(self) -> OSError | None:
        """What took the folder offline."""
        return self._watch.failure

    def fail(self, reason: str) -> KafkaError:
        """Take the folder offline for something that was found in it; the refusal to raise."""
        return self._watch.fail(OSError(reason))

    @property
    def was_clean(self) -> bool:
        """Whether the last process closed everything here in order."""
        return self.previous_broker_epoch is not None

    def partitions_on_disk(self) -> list[TopicPartition]:
        """The partitions that have a folder here; the metadata log is not one of them."""
        found = [partition_of(name) for name in self.disk.list(self.path) if name != METADATA_FOLDER]
        return [one for one in found if one is not None]

    def is_empty(self, topic: str, partition: int) -> bool:
        """Whether a partition's folder holds no record."""
        path = f"{self.path}/{folder_of(topic, partition)}"
        return not any(name.endswith(".log") and self.disk.size(f"{path}/{name}") for name in self.disk.list(path))

    # -- logs ---------------------------------------------------------------------------------------------------

    def open_log(
        self, topic: str, partition: int, topic_id: Uuid, config: LogConfig, silent_since_ms: int = KNOWS_ALL
    ) -> PartitionLog:
        """`opening_log` at once."""
        return done(self.opening_log(topic, partition, topic_id, config, silent_since_ms))

    def opening_log(
        self, topic: str, partition: int, topic_id: Uuid, config: LogConfig, silent_since_ms: int = KNOWS_ALL
    ) -> Steps[PartitionLog]:
        """The log of a partition, loaded or created; a loaded one is recovered if the last stop was not clean.

        It knows no producers that were silent since a time (ms).

        KafkaError INCONSISTENT_TOPIC_ID when the folder belongs to another topic of that name.
        """
        self._watch.check()
        key = (topic, partition)
        try:
            log = yield from opening_log(
                disk=self.disk,
                directory=f"{self.path}/{folder_of(topic, partition)}",
                topic=topic,
                partition=partition,
                topic_id=topic_id,
                config=config,
                is_clean=self.was_clean,
                recovery_point=self._recovery_points.get(key, 0),
                log_start_offset=self._log_starts.get(key, 0),
                silent_since_ms=silent_since_ms,
                is_id_deferred=True,
                random=self._random,
                on_warning=self._on_warning,
            )
        except ForeignFolder as error:
            raise KafkaError(ErrorCode.INCONSISTENT_TOPIC_ID, str(error)) from error
        except ValueError as error:
            raise self.fail(str(error)) from error
        log.set_high_watermark(self._high_watermarks.get(key, log.log_start_offset))
        self._take_in(log)
        return log

    def _take_in(self, log: PartitionLog) -> None:
        self.logs[log.topic, log.partition] = log
        log.epochs.on_change = partial(self._on_epochs, log)
        log.on_first_record = partial(self._behind.__setitem__, log, None)
        if log.epochs.is_behind:
            self._on_epochs(log)

    def _on_epochs(self, log: PartitionLog) -> None:
        """The small files of a log without any record may wait for the first."""
        if log.is_id_written:
            self._behind[log] = None

    def delete_log(self, topic: str, partition: int, now_ms: int) -> None:
        """Take a log out; its folder is renamed at once and removed by `tidy`, after a delay."""
        log = self.logs.pop((topic, partition))
        self._forget(topic, partition)
        self._behind.pop(log, None)
        self._leaving.append((now_ms, self._mark(topic, partition, DELETE), log))

    def promote_future(self, topic: str, partition: int, config: LogConfig) -> PartitionLog:
        """The copy of a log takes its place, in this folder: open under its name."""
        copy = self.futures.promote((topic, partition))
        directory = f"{self.path}/{folder_of(topic, partition)}"
        log = open_log(
            disk=self.disk,
            directory=directory,
            topic=topic,
            partition=partition,
            topic_id=copy.topic_id,
            config=config,
            is_clean=True,
            log_start_offset=copy.log_start_offset,
            random=self._random,
        )
        log.recovery_point = copy.recovery_point
        self._take_in(log)
        return log

    def set_aside(self, topic: str, partition: int) -> str:
        """Rename a folder that the metadata does not know; nothing in it is deleted. Returns its new path."""
        log = self.logs.pop((topic, partition), None)
        if log is not None:
            log.abandon()
        self._forget(topic, partition)
        return self._mark(topic, partition, STRAY)

    def _mark(self, topic: str, partition: int, mark: str) -> str:
        path = f"{self.path}/{marked_folder(topic, partition, mark, self._random.randbytes(16))}"
        # Where the new name is lost with the power, the next start sees what the metadata says of the old one.
        self.disk.rename(f"{self.path}/{folder_of(topic, partition)}", path)
        return path

    def _forget(self, topic: str, partition: int) -> None:
        for offsets in (self._recovery_points, self._high_watermarks, self._log_starts, self.clean_up_to):
            offsets.pop((topic, partition), None)

    # -- schedules ----------------------------------------------------------------------------------------------

    def tidy(self, now_ms: int, delay_ms: int) -> None:
        """Bring the files of indexes up to date; remove those of deleted segments after the topic's
        file.delete.delay.ms, and those of deleted logs after the broker's, `delay_ms`: as Kafka does it."""
        for log in self.logs.values():
            log.tidy(now_ms)
        due = [one for one in self._leaving if one[0] + delay_ms <= now_ms][:REMOVED_AT_ONCE]
        for one in due:
            _, path, log_leaving = one
            if log_leaving is not None:
                log_leaving.abandon()
            self.disk.remove_tree(path)
            self._leaving.remove(one)

    def overdue_flushes(self, now_ms: int) -> Iterator[LogFlush]:
        """Flushes of the logs that were not flushed for their flush.ms."""
        for log in self.logs.values():
            if log.is_overdue(now_ms):
                log.last_flush_ms = now_ms
                if (flush := begin_flush(log, is_for_all=True)) is not None:
                    yield flush

    def flushes_of_all(self) -> Iterator[LogFlush]:
        """Flushes of all that was appended to every log."""
        for log in self.logs.values():
            if (flush := begin_flush(log, is_for_all=True)) is not None:
                yield flush

    def flushes_of_full_segments(self) -> Iterator[LogFlush]:
        """Flushes of every log's segments that are full: after a crash they need not be read again."""
        for log in self.logs.values():
            if (flush := begin_flush(log, is_for_all=False)) is not None:
                yield flush

    @property
    def has_small_files(self) -> bool:
        """Whether `take_small_files` finds any."""
        return bool(self._behind) and self.is_online

    def take_small_files(self, most: int) -> list[SmallFilesFlush]:
        """The small files of some logs, to be made durable."""
        taken = [log for log, _ in zip(self._behind, range(most), strict=False)]
        for log in taken:
            del self._behind[log]
        return [SmallFilesFlush(log) for log in taken]

    def on_flushed(self, flush: LogFlush | SmallFilesFlush, error: OSError | None) -> None:
        """A flush has ended; where it failed the folder is offline, unless it was for a log that has gone meanwhile."""
        if error is None:
            flush.done()
        elif self.logs.get((flush.log.topic, flush.log.partition)) is flush.log:
            self.fail(str(error))

    def forget_silent_producers(self, up_to_ms: int) -> None:
        """Forget the producers without a record after a time."""
        for log in self.logs.values():
            log.producers.expire(up_to_ms)

    def delete_old_segments(self, now_ms: int) -> int:
        """Retention of every log here that is not compacted, and of its copy; returns how many segments went.

        Those that are compacted have it from whoever compacts them, so that neither is in the other's way.
        """
        logs = (*self.logs.values(), *self.futures.logs.values())
        return sum(log.delete_old_segments(now_ms) for log in logs if not log.config.is_compacted)

    def recovery_points(self) -> OffsetsWrite:
        """Up to where each log is on stable storage, as far as its leader epochs are, too, to be kept."""
        self._note_recovery_points()
        return OffsetsWrite(unwatched_disk(self.disk), f"{self.path}/{RECOVERY_POINTS}", dict(self._recovery_points))

    def _note_recovery_points(self) -> None:
        for key, log in self.logs.items():
            self._recovery_points[key] = min(log.recovery_point, log.epochs.known_on_disk_to)

    def checkpoint_recovery_points(self) -> None:
        """Keep it at once."""
        self._note_recovery_points()
        write_offsets(self.disk, f"{self.path}/{RECOVERY_POINTS}", self._recovery_points)

    def note_truncation(self, log: PartitionLog) -> None:
        """A log was cut: what is kept of it on disk must not reach beyond, before anything else is appended."""
        key = (log.topic, log.partition)
        if self._recovery_points.get(key, 0) > log.log_end_offset:
            self.checkpoint_recovery_points()
        if self.clean_up_to.get(key, 0) > log.log_end_offset:
            self.clean_up_to[key] = log.log_end_offset
            write_offsets(self.disk, f"{self.path}/{CLEAN_UP_TO}", self.clean_up_to)

    def high_watermarks(self) -> OffsetsWrite:
        """What readers were allowed to see of each log, to be kept."""
        self._high_watermarks |= {key: log.high_watermark for key, log in self.logs.items()}
        path = f"{self.path}/{HIGH_WATERMARKS}"
        return OffsetsWrite(unwatched_disk(self.disk), path, dict(self._high_watermarks))

    def checkpoint_high_watermarks(self) -> None:
        """Keep it at once."""
        self._high_watermarks |= {key: log.high_watermark for key, log in self.logs.items()}
        write_offsets(self.disk, f"{self.path}/{HIGH_WATERMARKS}", self._high_watermarks)

    def log_starts(self) -> OffsetsWrite:
        """Where each log starts, where that is not simply its first segment's base, to be kept."""
        self._note_log_starts()
        return OffsetsWrite(unwatched_disk(self.disk), f"{self.path}/{LOG_STARTS}", dict(self._log_starts))

    def clean_offsets(self) -> OffsetsWrite:
        """What compaction has gone over, to be kept."""
        return OffsetsWrite(unwatched_disk(self.disk), f"{self.path}/{CLEAN_UP_TO}", dict(self.clean_up_to))

    def checkpoint_log_starts(self) -> None:
        """Keep it at once."""
        self._note_log_starts()
        write_offsets(self.disk, f"{self.path}/{LOG_STARTS}", self._log_starts)

    def _note_log_starts(self) -> None:
        for key, log in self.logs.items():
            if log.log_start_offset > log.segments[0].base_offset:
                self._log_starts[key] = log.log_start_offset
            else:
                self._log_starts.pop(key, None)

    def usage(self) -> tuple[int, int]:
        """(total, usable) bytes of the volume."""
        return self.disk.usage(self.path)

    def close(self, now_ms: int, broker_epoch: int = -1, *, is_whole: bool = True) -> None:
        """Close every log in order, write the checkpoints and, last of all, the clean-shutdown mark.

        A folder that is offline, or goes offline now, is only released, and stays without the mark; so does one that
        may hold logs that were not opened (`is_whole` is false), and perhaps have to be recovered.
        """
        with contextlib.suppress(KafkaError):
            for log in self.logs.values():
                log.close(now_ms)
            self.futures.close(now_ms)
            self.checkpoint_recovery_points()
            self.checkpoint_high_watermarks()
            self.checkpoint_log_starts()
            if is_whole:
                mark_clean_shutdown(self.disk, self.path, broker_epoch)
        if not self.is_online:
            for log in self.logs.values():
                log.abandon()
            self.futures.abandon()
        for _, _, log_leaving in self._leaving:
            if log_leaving is not None:
                log_leaving.abandon()
        self.logs.clear()
