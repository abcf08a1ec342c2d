"""Logs on their way from one log folder of a broker to another: copies that are to take the place of the log.

Each has a folder of its own, NAME.UNIQUE-future, from which it goes on after a restart. Source: KIP-113.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from reference_broker.environment import Disk, Random
from reference_broker.log.config import LogConfig
from reference_broker.log.folder_names import FUTURE, folder_of, future_of, marked_folder
from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.recovery import open_log
from reference_broker.wire.primitives import Uuid

TopicPartition = tuple[str, int]


@dataclass(slots=True)
class FutureLogs:
    """Those in one folder of log.dirs, by partition. KAFKA_STORAGE_ERROR where the folder fails."""

    disk: Disk
    path: str
    random: Random
    logs: dict[TopicPartition, PartitionLog] = field(default_factory=dict)

    def on_disk(self) -> Iterator[tuple[TopicPartition, str]]:
        """The partitions of which there is one, and its folder."""
        for name in self.disk.list(self.path):
            if (key := future_of(name)) is not None:
                yield key, f"{self.path}/{name}"

    def open(self, topic: str, partition: int, topic_id: Uuid, config: LogConfig, *, start_offset: int) -> PartitionLog:
        """The copy of a log as an earlier run left it, or a new one from an offset on."""
        found = [path for key, path in self.on_disk() if key == (topic, partition)]
        path = f"{self.path}/{marked_folder(topic, partition, FUTURE, self.random.randbytes(16))}"
        log = open_log(
            disk=self.disk,
            directory=found[0] if found else path,
            topic=topic,
            partition=partition,
            topic_id=topic_id,
            config=config,
            is_clean=False,
            log_start_offset=start_offset,
        )
        self.logs[topic, partition] = log
        return log

    def remove(self, key: TopicPartition) -> None:
        """The copy is not wanted any more."""
        log = self.logs.pop(key)
        log.abandon()
        self.disk.remove_tree(log.directory)

    def promote(self, key: TopicPartition) -> PartitionLog:
        """Give the copy the name of a log in use; it is released, and has to be opened by that name."""
        log = self.logs.pop(key)
        log.epochs.write()
        log.keep_producers()
        log.release()
        self.disk.rename(log.directory, f"{self.path}/{folder_of(*key)}")
        self.disk.flush_directory(self.path)
        return log

    def adopt(self, key: TopicPartition) -> bool:
        """A crash came after the log was taken away, and before its copy took its place: it does now. False where there
        is no copy."""
        for found, path in self.on_disk():
            if found == key:
                self.disk.rename(path, f"{self.path}/{folder_of(*key)}")
                self.disk.flush_directory(self.path)
                return True
        return False

    def close(self, now_ms: int) -> None:
        """Close every copy in order."""
        for log in self.logs.values():
            log.close(now_ms)
        self.logs.clear()

    def abandon(self) -> None:
        """The folder has failed."""
        for log in self.logs.values():
            log.abandon()
        self.logs.clear()
