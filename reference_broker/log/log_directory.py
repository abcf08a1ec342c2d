"""One folder of log.dirs: its lock, its checkpoints, the partitions' logs in it, and whether it still works."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from reference_broker.environment import Disk, Random
from reference_broker.log.checkpoints import mark_clean_shutdown, read_offsets, take_clean_shutdown, write_offsets
from reference_broker.log.config import LogConfig
from reference_broker.log.folder_names import DELETE, STRAY, folder_of, mark_of, marked_folder, partition_of
from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.producer_replay import KNOWS_ALL
from reference_broker.log.recovery import ForeignFolder, open_log
from reference_broker.log.watched_disk import Watch, WatchedDisk
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.refusal import KafkaError

LOCK = ".lock"
RECOVERY_POINTS = "recovery-point-offset-checkpoint"
HIGH_WATERMARKS = "replication-offset-checkpoint"
LOG_STARTS = "log-start-offset-checkpoint"
METADATA_FOLDER = "__cluster_metadata-0"

TopicPartition = tuple[str, int]


class LogDirectory:
    """Made by `LogDirectory.open`. Once the disk has failed, every method but `close` raises KAFKA_STORAGE_ERROR."""

    def __init__(self, disk: Disk, path: str, random: Random, on_failure: Callable[[LogDirectory, OSError], None]):
        self.path = path
        self._random = random
        self._watch = Watch(path, lambda error: on_failure(self, error))
        self.disk: Disk = WatchedDisk(disk, self._watch)
        self.logs: dict[TopicPartition, PartitionLog] = {}
        self.previous_broker_epoch: int | None = None
        self._recovery_points: dict[TopicPartition, int] = {}
        self._high_watermarks: dict[TopicPartition, int] = {}
        self._log_starts: dict[TopicPartition, int] = {}
        self._leaving: list[tuple[int, str, PartitionLog | None]] = []

    @classmethod
    def open(
        cls, disk: Disk, path: str, *, random: Random, on_failure: Callable[[LogDirectory, OSError], None]
    ) -> LogDirectory:
        """Lock the folder and read its checkpoints; take its clean-shutdown mark.

        `on_failure` is called once, with the folder and the error, when its disk fails. OSError when another process
        holds the lock. KAFKA_STORAGE_ERROR when a checkpoint cannot be read, or makes no sense.
        """
        directory = cls(disk, path, random, on_failure)
        directory.disk.lock(f"{path}/{LOCK}")
        directory.previous_broker_epoch = take_clean_shutdown(directory.disk, path)
        try:
            directory._recovery_points = read_offsets(directory.disk, f"{path}/{RECOVERY_POINTS}")
            directory._high_watermarks = read_offsets(directory.disk, f"{path}/{HIGH_WATERMARKS}")
            directory._log_starts = read_offsets(directory.disk, f"{path}/{LOG_STARTS}")
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

    # -- logs ---------------------------------------------------------------------------------------------------

    def open_log(
        self, topic: str, partition: int, topic_id: Uuid, config: LogConfig, silent_since_ms: int = KNOWS_ALL
    ) -> PartitionLog:
        """The log of a partition, loaded or created; a loaded one is recovered if the last stop was not clean.

        It knows no producers that were silent since a time (ms).

        KafkaError INCONSISTENT_TOPIC_ID when the folder belongs to another topic of that name.
        """
        self._watch.check()
        key = (topic, partition)
        try:
            log = open_log(
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
            )
        except ForeignFolder as error:
            raise KafkaError(ErrorCode.INCONSISTENT_TOPIC_ID, str(error)) from error
        except ValueError as error:
            raise self.fail(str(error)) from error
        log.set_high_watermark(self._high_watermarks.get(key, log.log_start_offset))
        self.logs[key] = log
        return log

    def delete_log(self, topic: str, partition: int, now_ms: int) -> None:
        """Take a log out; its folder is renamed at once and removed after file.delete.delay.ms."""
        log = self.logs.pop((topic, partition))
        self._forget(topic, partition)
        self._leaving.append((now_ms + log.config.file_delete_delay_ms, self._mark(topic, partition, DELETE), log))

    def set_aside(self, topic: str, partition: int) -> str:
        """Rename a folder that the metadata does not know; nothing in it is deleted. Returns its new path."""
        log = self.logs.pop((topic, partition), None)
        if log is not None:
            log.abandon()
        self._forget(topic, partition)
        return self._mark(topic, partition, STRAY)

    def _mark(self, topic: str, partition: int, mark: str) -> str:
        path = f"{self.path}/{marked_folder(topic, partition, mark, self._random.randbytes(16))}"
        self.disk.rename(f"{self.path}/{folder_of(topic, partition)}", path)
        self.disk.flush_directory(self.path)
        return path

    def _forget(self, topic: str, partition: int) -> None:
        for offsets in (self._recovery_points, self._high_watermarks, self._log_starts):
            offsets.pop((topic, partition), None)

    # -- schedules ----------------------------------------------------------------------------------------------

    def remove_deleted(self, now_ms: int) -> None:
        """Remove the files of segments and logs that have been deleted for long enough."""
        for log in self.logs.values():
            log.remove_deleted(now_ms)
        due = [one for one in self._leaving if one[0] <= now_ms]
        for _, path, log_leaving in due:
            if log_leaving is not None:
                log_leaving.abandon()
            self.disk.remove_tree(path)
        if due:
            self._leaving = [one for one in self._leaving if one[0] > now_ms]

    def flush_overdue(self, now_ms: int) -> None:
        """Flush every log that was not flushed for its flush.ms."""
        for log in self.logs.values():
            log.flush_if_overdue(now_ms)

    def flush_closed_segments(self) -> None:
        """Flush every log's segments that are full."""
        for log in self.logs.values():
            log.flush_closed_segments()

    def forget_silent_producers(self, up_to_ms: int) -> None:
        """Forget the producers without a record after a time."""
        for log in self.logs.values():
            log.producers.expire(up_to_ms)

    def delete_old_segments(self, now_ms: int) -> int:
        """Retention of every log here; returns how many segments went."""
        return sum(log.delete_old_segments(now_ms) for log in self.logs.values())

    def checkpoint_recovery_points(self) -> None:
        """Keep up to where each log is on stable storage."""
        self._recovery_points |= {key: log.recovery_point for key, log in self.logs.items()}
        write_offsets(self.disk, f"{self.path}/{RECOVERY_POINTS}", self._recovery_points)

    def checkpoint_high_watermarks(self) -> None:
        """Keep what readers were allowed to see of each log."""
        self._high_watermarks |= {key: log.high_watermark for key, log in self.logs.items()}
        write_offsets(self.disk, f"{self.path}/{HIGH_WATERMARKS}", self._high_watermarks)

    def checkpoint_log_starts(self) -> None:
        """Keep where each log starts, where that is not simply its first segment's base."""
        for key, log in self.logs.items():
            if log.log_start_offset > log.segments[0].base_offset:
                self._log_starts[key] = log.log_start_offset
            else:
                self._log_starts.pop(key, None)
        write_offsets(self.disk, f"{self.path}/{LOG_STARTS}", self._log_starts)

    def usage(self) -> tuple[int, int]:
        """(total, usable) bytes of the volume."""
        return self.disk.usage(self.path)

    def close(self, now_ms: int, broker_epoch: int = -1) -> None:
        """Close every log in order, write the checkpoints and, last of all, the clean-shutdown mark.

        A folder that is offline, or goes offline now, is only released, and stays without the mark.
        """
        with contextlib.suppress(KafkaError):
            for log in self.logs.values():
                log.close(now_ms)
            self.checkpoint_recovery_points()
            self.checkpoint_high_watermarks()
            self.checkpoint_log_starts()
            mark_clean_shutdown(self.disk, self.path, broker_epoch)
        if not self.is_online:
            for log in self.logs.values():
                log.abandon()
        for _, _, log_leaving in self._leaving:
            if log_leaving is not None:
                log_leaving.abandon()
        self.logs.clear()
