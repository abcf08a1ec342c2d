"""In which log folder each replica of this broker is, and what the controller has to be told of that (KIP-858)."""

from __future__ import annotations

from collections.abc import Callable

from reference_broker.environment import Now
from reference_broker.log.config import LogConfig
from reference_broker.log.log_directory import LogDirectory
from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.producer_replay import KNOWS_ALL
from reference_broker.log.steps import Steps
from reference_broker.metadata.image import MetadataImage
from reference_broker.metadata.topics import PartitionImage, TopicImage
from reference_broker.replication.folder_news import FolderNews, FolderReport, TopicIdPartition
from reference_broker.replication.log_folders import LogFolders, is_assigned
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import ZERO_UUID, Uuid
from reference_broker.wire.refusal import KafkaError

TopicPartition = tuple[str, int]


class Placement:
    """`has_lost` says whether a log folder failed since its partitions were last reported."""

    def __init__(self, folders: LogFolders, node_id: int, silent_since_ms: int = KNOWS_ALL) -> None:
        self.folders, self._node_id, self._silent_since_ms = folders, node_id, silent_since_ms
        self.places: dict[TopicPartition, LogDirectory] = {}
        self.offline: dict[TopicPartition, Uuid] = {}
        """Replicas in folders that do not work, by name, with their topic's id."""
        self.has_lost = False
        self.wanted: dict[TopicPartition, LogDirectory] = {}
        """Where replicas are to be that are not here yet (AlterReplicaLogDirs)."""
        self._placed: dict[TopicIdPartition, Uuid] = {}

    # -- one replica --------------------------------------------------------------------------------------------

    def opening(
        self, topic: TopicImage, image: PartitionImage, config: LogConfig, *, is_new: bool
    ) -> Steps[PartitionLog]:
        """Open or create a replica's log in its folder, in steps.

        KafkaError where that folder is offline or fails now.
        """
        key = (topic.name, image.index)
        folder = self._folder_for(topic, image, is_new=is_new)
        log = yield from folder.opening_log(topic.name, image.index, topic.id, config, self._silent_since_ms)
        self.places[key] = folder
        self.offline.pop(key, None)
        if self.folders.id_of(folder) != image.directory_of(self._node_id):
            self._placed[topic.id, image.index] = self.folders.id_of(folder)
        return log

    def _folder_for(self, topic: TopicImage, image: PartitionImage, *, is_new: bool) -> LogDirectory:
        """Where the log is; for one that is nowhere, the folder that the metadata names, else the least used."""
        key = (topic.name, image.index)
        holding = self.folders.holding(topic.name, image.index)
        if holding is not None:
            return holding
        assigned = image.directory_of(self._node_id)
        named = self.folders.by_id(assigned)
        if named is not None:
            if not is_new:
                named.futures.adopt(key)
            return named
        # A log that is not new, and cannot be seen, may stand in a folder that is offline: it must not begin again.
        # Where all folders work it is gone, with the disk or the machine that held it, and is copied from the others.
        if self.folders.failures and (is_assigned(assigned) or not is_new):
            raise KafkaError(ErrorCode.KAFKA_STORAGE_ERROR, "its log folder is offline")
        folder = self.wanted.pop(key, None) or self.folders.least_used()
        if folder is None or not folder.is_online:
            raise KafkaError(ErrorCode.KAFKA_STORAGE_ERROR, "every log folder is offline")
        return folder

    def mark_offline(self, topic: TopicImage, index: int) -> None:
        """A replica cannot be opened."""
        self.offline[topic.name, index] = topic.id
        self.has_lost = True

    def remove(self, topic: TopicImage, index: int) -> LogDirectory:
        """A replica that works is to be deleted: where it is."""
        self._placed.pop((topic.id, index), None)
        return self.places.pop((topic.name, index))

    def note_truncation(self, log: PartitionLog) -> None:
        """A log was cut by its follower."""
        self.places[log.topic, log.partition].note_truncation(log)

    def folder_at(self, path: str) -> LogDirectory | None:
        """A folder of log.dirs by its absolute path, also one that does not work. LOG_DIR_NOT_FOUND."""
        for one in self.folders.ids:
            if self.folders.absolute(one) == path:
                return self.folders.folders.get(one)
        if any(self.folders.absolute(one) == path for one in self.folders.failures):
            return None
        raise KafkaError(ErrorCode.LOG_DIR_NOT_FOUND, f"{path} is none of log.dirs")

    # -- folders ------------------------------------------------------------------------------------------------

    def lose(self, folder: LogDirectory) -> list[TopicPartition]:
        """A disk failed: the replicas that were in its folder, which are in none that works any more."""
        self.has_lost = True
        lost = [key for key, place in self.places.items() if place is folder]
        for key in lost:
            del self.places[key]
        return lost

    def set_strays_aside(self, image: MetadataImage, tell: Callable[[str], None]) -> None:
        """Rename what the metadata does not put here: a topic deleted while the broker was down, or another of its
        name."""
        for folder in self.folders:
            try:
                for topic, index in folder.partitions_on_disk():
                    if not self._belongs_here(folder, topic, index, image):
                        path = folder.set_aside(topic, index)
                        tell(f"the metadata does not know {folder.path}/{topic}-{index}: set aside as {path}")
            except KafkaError as error:
                tell(f"the log folder {folder.path} was not searched for strays: {error.detail}")
            except ValueError as error:
                folder.fail(str(error))

    def _belongs_here(self, folder: LogDirectory, topic: str, index: int, image: MetadataImage) -> bool:
        found = image.topics.get(topic)
        partition = found.partitions.get(index) if found is not None else None
        if found is None or partition is None or self._node_id not in partition.replicas:
            return False
        try:
            topic_id = self.folders.topic_id_in(folder, topic, index)
        except ValueError:
            # The file is written before any record is, and flushed later: a loss of power may come in between.
            if folder.was_clean:
                raise
            return False
        # Nor is it there before the first record comes.
        return topic_id == found.id or (topic_id == ZERO_UUID and folder.is_empty(topic, index))

    # -- the controller -----------------------------------------------------------------------------------------

    @property
    def has_news(self) -> bool:
        """Whether `report` has something to tell."""
        return self.has_lost or bool(self._placed)

    def report(self, tell: FolderReport, now: Now) -> None:
        """Tell the controller of replicas in folders that it does not know of, and of folders that failed."""
        if self.has_news:
            lost = [(topic_id, index) for (_, index), topic_id in self.offline.items()] if self.has_lost else []
            if tell(FolderNews(self._placed, self.folders.online_ids, tuple(lost), self.has_lost), now):
                self._placed, self.has_lost = {}, False
