"""All partitions that this broker hosts: opened at start, changed by metadata, kept in order as time goes by.

Source: KIP-631 (metadata tells the broker what to host), KIP-858 (several log folders), KIP-112 (failed folders).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from reference_broker.effects import Outbox
from reference_broker.environment import Disk, Now, Random
from reference_broker.log.config import LogConfig
from reference_broker.log.log_directory import LogDirectory
from reference_broker.log.producer_replay import KNOWS_ALL
from reference_broker.metadata.delta import MetadataDelta
from reference_broker.metadata.image import BROKER, TOPIC
from reference_broker.metadata.node_config import NodeConfig
from reference_broker.metadata.publishing import Publisher
from reference_broker.metadata.topics import PartitionImage, TopicImage
from reference_broker.replication.alter_partition import ControllerChannel
from reference_broker.replication.folder_news import FolderNews, FolderReport, TopicIdPartition
from reference_broker.replication.log_folders import LogFolders, is_assigned
from reference_broker.replication.partition import Partition
from reference_broker.replication.replica_exchange import ReplicaExchange
from reference_broker.replication.upkeep import Upkeep
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.refusal import KafkaError

TopicPartition = tuple[str, int]


class Partitions:
    """Made by `open`, at work from `attach` on."""

    def __init__(self, on_touched: Callable[[Partition], None], on_event: Callable[[str], None]) -> None:
        self._on_touched, self._on_event = on_touched, on_event
        self._online: dict[TopicPartition, Partition] = {}
        self._online_by_id: dict[TopicIdPartition, Partition] = {}
        self._offline: dict[TopicPartition, Uuid] = {}
        self._places: dict[TopicPartition, LogDirectory] = {}
        self._placed: dict[TopicIdPartition, Uuid] = {}
        self.has_lost = False
        """Whether a log folder failed since its partitions were last reported."""
        self._outbox = Outbox()
        self._channel: ControllerChannel | None = None
        self._on_notice: Callable[[str], None] = on_event
        self._folders: LogFolders
        self._publisher: Publisher
        self._settings: NodeConfig
        self._report_folders: FolderReport
        self._node_id = -1
        self._exchange: ReplicaExchange
        self._upkeep: Upkeep | None = None
        self._silent_since_ms = KNOWS_ALL

    @classmethod
    def open(
        cls,
        *,
        disk: Disk,
        directories: Mapping[str, Uuid],
        random: Random,
        on_touched: Callable[[Partition], None],
        now_ms: int,
        on_event: Callable[[str], None] = lambda line: None,
        on_notice: Callable[[str], None] = lambda line: None,
        problems: Mapping[str, str] | None = None,
        outbox: Outbox | None = None,
    ) -> Partitions:
        """Lock and open the log folders (path -> id); one that does not work is offline and in `failures`.

        `problems` are those that are known not to work (path -> why), as they have no id. `on_touched` is given every
        partition that has somebody to wake; `on_event` gets lines for the log, `on_notice` those that tell of no
        trouble. Fetches of other brokers' partitions go to `outbox`.
        OSError when no folder works, or another process uses one.
        """
        partitions = cls(on_touched, on_event)
        partitions._outbox, partitions._on_notice = outbox or Outbox(), on_notice
        partitions._folders = LogFolders.open(
            disk=disk,
            directories=directories,
            random=random,
            problems=problems or {},
            on_failure=partitions._on_failure,
            on_event=on_event,
        )
        return partitions

    def connect(self, channel: ControllerChannel) -> None:
        """The broker's channel for changes of an ISR, before `attach`."""
        self._channel = channel

    # -- folders ------------------------------------------------------------------------------------------------

    @property
    def folders(self) -> LogFolders:
        """The log folders."""
        return self._folders

    @property
    def online_directory_ids(self) -> tuple[Uuid, ...]:
        """Ids of the folders that work."""
        return self._folders.online_ids

    @property
    def failed_directory_ids(self) -> tuple[Uuid, ...]:
        """Ids of the folders that worked once and do not any more."""
        return self._folders.failed_ids

    @property
    def previous_broker_epoch(self) -> int:
        """The broker epoch of the last run if all of it ended in order, else -1."""
        return self._folders.previous_broker_epoch

    @property
    def failures(self) -> Mapping[str, str]:
        """Why folders are offline, by path; it grows when a disk fails."""
        return self._folders.failures

    def _on_failure(self, folder: LogDirectory) -> None:
        """A disk failed: nothing in the folder is served from now on, and the controller has to know."""
        self.has_lost = True
        for key, place in list(self._places.items()):
            if place is folder:
                self._lose(key)

    def _lose(self, key: TopicPartition) -> None:
        partition = self._online.pop(key, None)
        del self._places[key]
        if partition is not None:
            self._online_by_id.pop((partition.topic_id, partition.index), None)
            self._offline[key] = partition.topic_id
            partition.fail()
            self._exchange.forget(partition)

    # -- lookup -------------------------------------------------------------------------------------------------

    def find(self, topic: str, index: int) -> Partition | None:
        """A partition that is hosted and works, by its topic's name."""
        return self._online.get((topic, index))

    def find_by_id(self, topic_id: Uuid, index: int) -> Partition | None:
        """A partition that is hosted and works, by its topic's id."""
        return self._online_by_id.get((topic_id, index))

    def get(self, topic: str, index: int) -> Partition:
        """A partition by its topic's name.

        KAFKA_STORAGE_ERROR where its folder is offline, NOT_LEADER_OR_FOLLOWER where another broker hosts it,
        UNKNOWN_TOPIC_OR_PARTITION where there is none.
        """
        found = self._online.get((topic, index))
        if found is not None:
            return found
        raise self._absent(topic, index)

    def get_by_id(self, topic_id: Uuid, index: int) -> Partition:
        """A partition by its topic's id; UNKNOWN_TOPIC_ID where there is no such topic, else as `get`."""
        found = self._online_by_id.get((topic_id, index))
        if found is not None:
            return found
        topic = self._publisher.image.topics.by_id.get(topic_id)
        if topic is None:
            raise KafkaError(ErrorCode.UNKNOWN_TOPIC_ID, "no topic has this id")
        raise self._absent(topic.name, index)

    def _absent(self, topic: str, index: int) -> KafkaError:
        if (topic, index) in self._offline:
            return KafkaError(ErrorCode.KAFKA_STORAGE_ERROR, f"{topic}-{index} is in a log folder that is offline")
        if self._publisher.image.partition(topic, index) is not None:
            return KafkaError(ErrorCode.NOT_LEADER_OR_FOLLOWER, f"{topic}-{index} is not hosted here")
        return KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"there is no partition {topic}-{index}")

    def __iter__(self) -> Iterator[Partition]:
        """All that are hosted and work."""
        return iter(list(self._online.values()))

    def __len__(self) -> int:
        return len(self._online)

    # -- metadata -----------------------------------------------------------------------------------------------

    def attach(self, publisher: Publisher, settings: NodeConfig, report: FolderReport, now: Now) -> None:
        """Load the log of every partition that the metadata puts here, set aside the others, and follow metadata.

        `report` tells the controller what it has to know of folders.
        """
        self._publisher, self._settings, self._report_folders = publisher, settings, report
        self._node_id = settings.static.node_id
        self._upkeep = Upkeep(lambda: settings.current, now.monotonic_ms)
        self._silent_since_ms = now.wall_ms - settings.current.number("producer.id.expiration.ms")
        self._exchange = ReplicaExchange.begin(
            config=settings.static,
            outbox=self._outbox,
            channel=self._channel,
            on_notice=self._on_notice,
            now=now,
        )
        self._exchange.on_brokers(publisher.image.brokers)
        for folder in self._folders:
            self._set_strays_aside(folder)
        for topic in publisher.image.topics:
            self._host(topic, topic.partitions.values(), now, is_new=False)
        publisher.subscribe(self.on_metadata)

    def on_registered(self, broker_epoch: int, now: Now) -> None:
        """The controller knows this broker under an epoch: from now on it may fetch from others (KIP-903)."""
        self._exchange.on_registered(broker_epoch, now)

    def _set_strays_aside(self, folder: LogDirectory) -> None:
        """Rename what the metadata does not put here: a topic deleted while the broker was down, or another of its
        name."""
        try:
            for topic, index in folder.partitions_on_disk():
                image = self._publisher.image.topics.get(topic)
                partition = image.partitions.get(index) if image is not None else None
                if (
                    image is None
                    or partition is None
                    or self._node_id not in partition.replicas
                    or self._folders.topic_id_in(folder, topic, index) != image.id
                ):
                    path = folder.set_aside(topic, index)
                    self._on_event(f"the metadata does not know {folder.path}/{topic}-{index}: set aside as {path}")
        except KafkaError as error:
            self._on_event(f"the log folder {folder.path} was not searched for strays: {error.detail}")
        except ValueError as error:
            folder.fail(str(error))

    def on_metadata(self, delta: MetadataDelta, now: Now) -> None:
        """Make, delete, lead, follow and configure as the metadata says now."""
        self._exchange.on_brokers(delta.after.brokers)
        for topic in delta.deleted_topics.values():
            for index in topic.partitions:
                self._drop(topic, index, now)
        for change in delta.changed_topics.values():
            if change.after is not None:
                changed = list(change.changed_partitions())
                self._drop_moved(change.after, changed, now)
                self._host(change.after, changed, now, is_new=True)
        if delta.has_broker_changes:
            self._exchange.check_lag(self, now)
        configs = delta.changed_configs
        if any(kind == BROKER for kind, _ in configs):
            self._reconfigure(dict.fromkeys(partition.topic for partition in self))
        else:
            self._reconfigure(name for kind, name in configs if kind == TOPIC)

    def _drop_moved(self, topic: TopicImage, images: Iterable[PartitionImage], now: Now) -> None:
        """Delete the replicas that were reassigned to other brokers."""
        for image in images:
            if (topic.id, image.index) in self._online_by_id and self._node_id not in image.replicas:
                self._drop(topic, image.index, now)

    def _drop(self, topic: TopicImage, index: int, now: Now) -> None:
        key = (topic.name, index)
        if self._offline.get(key) == topic.id:
            del self._offline[key]
        partition = self._online.get(key)
        if partition is None or partition.topic_id != topic.id:
            return
        folder = self._places.pop(key)
        del self._online[key], self._online_by_id[topic.id, index]
        self._placed.pop((topic.id, index), None)
        partition.leave()
        self._exchange.forget(partition)
        try:
            folder.delete_log(topic.name, index, now.wall_ms)
        except KafkaError as error:
            self._on_event(f"the log of {topic.name}-{index} was not deleted: {error.detail}")

    def _host(self, topic: TopicImage, images: Iterable[PartitionImage], now: Now, *, is_new: bool) -> None:
        """Have those of a topic's partitions that have a replica here as the metadata says now."""
        config: LogConfig | None = None
        for image in images:
            if self._node_id not in image.replicas:
                continue
            key = (topic.name, image.index)
            partition = self._online.get(key)
            if partition is None and self._offline.get(key) == topic.id:
                # The controller led it anew without knowing that its folder is lost.
                self.has_lost |= image.leader == self._node_id
                continue
            try:
                if partition is None:
                    config = config or LogConfig.of(self._settings.log_settings(topic.name))
                    partition = self._open(topic, image, config, is_new=is_new)
                partition.update(image, now)
                self._exchange.follow(partition, now)
            except KafkaError as error:
                self._mark_offline(topic, image, error)

    def _mark_offline(self, topic: TopicImage, image: PartitionImage, error: KafkaError) -> None:
        self._on_event(f"{topic.name}-{image.index} is offline: {error.detail}")
        self._offline[topic.name, image.index] = topic.id
        self.has_lost = True

    def _open(self, topic: TopicImage, image: PartitionImage, config: LogConfig, *, is_new: bool) -> Partition:
        """Open or create a partition's log in its folder. KafkaError where that folder is offline or fails now."""
        key = (topic.name, image.index)
        folder = self._folder_for(topic, image, is_new=is_new)
        log = folder.open_log(topic.name, image.index, topic.id, config, self._silent_since_ms)
        partition = Partition(
            log=log,
            local=self._exchange.local,
            alter_partitions=self._exchange.alter_partitions,
            on_truncated=folder.checkpoint_recovery_points,
            on_touched=self._on_touched,
        )
        self._online[key] = self._online_by_id[topic.id, image.index] = partition
        self._places[key] = folder
        self._offline.pop(key, None)
        if self._folders.id_of(folder) != self._assigned(image):
            self._placed[topic.id, image.index] = self._folders.id_of(folder)
        return partition

    def _assigned(self, image: PartitionImage) -> Uuid:
        """The folder that the metadata names for this broker's replica."""
        return image.directory_of(self._node_id)

    def _folder_for(self, topic: TopicImage, image: PartitionImage, *, is_new: bool) -> LogDirectory:
        """Where the log is; for one that is nowhere, the folder that the metadata names, else the least used."""
        holding = self._folders.holding(topic.name, image.index)
        if holding is not None:
            return holding
        assigned = self._assigned(image)
        named = self._folders.by_id(assigned)
        if named is not None:
            return named
        # A log that is not new, and cannot be seen, may stand in a folder that is offline: it must not begin again.
        if is_assigned(assigned) or (not is_new and self.failures):
            raise KafkaError(ErrorCode.KAFKA_STORAGE_ERROR, "its log folder is offline")
        folder = self._folders.least_used()
        if folder is None:
            raise KafkaError(ErrorCode.KAFKA_STORAGE_ERROR, "every log folder is offline")
        return folder

    def _reconfigure(self, topics: Iterable[str]) -> None:
        for name in topics:
            topic = self._publisher.image.topics.get(name)
            hosted = [self._online.get((name, index)) for index in (topic.partitions if topic is not None else ())]
            config = LogConfig.of(self._settings.log_settings(name)) if any(hosted) else None
            for partition in hosted:
                if partition is not None and config is not None:
                    partition.reconfigure(config)

    # -- time ---------------------------------------------------------------------------------------------------

    def next_deadline_ms(self) -> int | None:
        """When `on_time` must be called next (monotonic); None before `attach`."""
        if self._upkeep is None:
            return None
        if self.has_lost or self._placed:
            return 0
        return min(self._upkeep.next_deadline_ms, self._exchange.next_deadline_ms())

    def on_time(self, now: Now) -> None:
        """Tell the controller what it has to know of folders, and do what is due."""
        if self._upkeep is None:
            return
        self._report(now)
        self._exchange.on_time(self, now)
        for task in self._upkeep.take_due(now.monotonic_ms):
            for folder in self._folders:
                try:
                    task.run(folder, now.wall_ms)
                except KafkaError:
                    continue  # the folder is offline now, and whoever watches it was told

    def _report(self, now: Now) -> None:
        if not self._placed and not self.has_lost:
            return
        lost = [(topic_id, index) for (_, index), topic_id in self._offline.items()] if self.has_lost else []
        news = FolderNews(self._placed, self.online_directory_ids, tuple(lost), self.has_lost)
        if self._report_folders(news, now):
            self._placed, self.has_lost = {}, False

    def close(self, now: Now, broker_epoch: int) -> None:
        """Close every log in order and leave the clean-shutdown marks; a folder that is offline gets none."""
        for folder in self._folders.folders.values():
            folder.close(now.wall_ms, broker_epoch)
        self._online.clear()
        self._online_by_id.clear()
