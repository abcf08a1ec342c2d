"""All partitions that this broker hosts: opened at start, changed by metadata, kept in order as time goes by.

What metadata brings is done for some partitions at once, and for the others as time goes by, so that thousands of them
hold up nobody. A partition that somebody asks for before its turn is brought up to date then.

Source: KIP-631 (metadata tells the broker what to host), KIP-858 (several log folders), KIP-112 (failed folders).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from reference_broker.effects import Outbox
from reference_broker.environment import Disk, Now, Random
from reference_broker.log.log_directory import LogDirectory
from reference_broker.metadata.delta import MetadataDelta
from reference_broker.metadata.image import BROKER, TOPIC
from reference_broker.metadata.node_config import NodeConfig
from reference_broker.metadata.publishing import Publisher
from reference_broker.replication.alter_partition import ControllerChannel
from reference_broker.replication.backlog import Backlog
from reference_broker.replication.cleaner import Cleaner
from reference_broker.replication.flushes import Flushes
from reference_broker.replication.folder_news import FolderReport
from reference_broker.replication.hosting import Hosting
from reference_broker.replication.log_folders import LogFolders
from reference_broker.replication.moves import Assign, Moves
from reference_broker.replication.online_partitions import OnlinePartitions
from reference_broker.replication.partition import Partition
from reference_broker.replication.placement import Placement
from reference_broker.replication.replica_exchange import ReplicaExchange
from reference_broker.replication.upkeep import Upkeep
from reference_broker.settings.cordoned_folders import cordoned_folders
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.refusal import KafkaError

TopicPartition = tuple[str, int]


class Partitions:
    """Made by `open`, at work from `attach` on."""

    def __init__(self, on_touched: Callable[[Partition], None], on_event: Callable[[str], None]) -> None:
        self._on_touched, self._on_event = on_touched, on_event
        self._online = OnlinePartitions()
        self._behind = Backlog()
        self._outbox = Outbox()
        self._channel: ControllerChannel | None = None
        self._on_notice: Callable[[str], None] = on_event
        self._on_warning: Callable[[str], None] = on_event
        self._folders: LogFolders
        self._publisher: Publisher
        self._settings: NodeConfig
        self._report_folders: FolderReport
        self._node_id = -1
        self._now = Now(0, 0)
        self._exchange: ReplicaExchange
        self._placement: Placement
        self._flushes: Flushes
        self._moves: Moves
        self._hosting: Hosting
        self._assign: Assign = lambda replica, directory_id, now, on_assigned: None
        self._upkeep: Upkeep | None = None
        self._cleaner: Cleaner
        self._on_loaded: Callable[[Now], None] | None = None

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
        on_warning: Callable[[str], None] = lambda line: None,
        problems: Mapping[str, str] | None = None,
        outbox: Outbox | None = None,
    ) -> Partitions:
        """Lock and open the log folders (path -> id); one that does not work is offline and in `folders.failures`.

        `problems` are those that are known not to work (path -> why), as they have no id. `on_touched` is given every
        partition that has somebody to wake; `on_event` gets lines for the log, `on_notice` those that tell of no
        trouble, `on_warning` those of trouble that was mended or leaves one log without upkeep. Fetches of
        other brokers' partitions go to `outbox`.
        OSError when no folder works, or another process uses one.
        """
        partitions = cls(on_touched, on_event)
        partitions._outbox, partitions._on_notice = outbox or Outbox(), on_notice
        partitions._on_warning = on_warning
        partitions._folders = LogFolders.open(
            disk=disk,
            directories=directories,
            random=random,
            problems=problems or {},
            on_failure=partitions._on_failure,
            on_event=on_event,
            on_warning=on_warning,
        )
        partitions._placement = Placement(partitions._folders, -1)
        partitions._flushes = Flushes(partitions._outbox)
        return partitions

    def connect(self, channel: ControllerChannel, assign: Assign) -> None:
        """The broker's channel for changes of an ISR, and what assigns a replica to a folder, before `attach`."""
        self._channel, self._assign = channel, assign

    # -- folders ------------------------------------------------------------------------------------------------

    @property
    def folders(self) -> LogFolders:
        """The log folders."""
        return self._folders

    @property
    def has_lost(self) -> bool:
        """Whether a log folder failed since its partitions were last reported."""
        return self._placement.has_lost

    @property
    def moves(self) -> Moves:
        """The replicas that move between folders."""
        return self._moves

    @property
    def placement(self) -> Placement:
        """In which folder each replica is."""
        return self._placement

    def _on_failure(self, folder: LogDirectory) -> None:
        """A disk failed: nothing in the folder is served from now on, and the controller has to know."""
        self._moves.lose(folder)
        for key in self._placement.lose(folder):
            partition = self._online.get(*key)
            if partition is not None:
                self._online.remove(partition)
                self._placement.offline[key] = partition.topic_id
                partition.fail()
                self._exchange.forget(partition)

    # -- lookup -------------------------------------------------------------------------------------------------

    def find(self, topic: str, index: int) -> Partition | None:
        """A partition that is hosted and works, by its topic's name."""
        if self._behind.changed:
            self._hosting.hurry(topic, index, self._now)
        return self._online.get(topic, index)

    def find_by_id(self, topic_id: Uuid, index: int) -> Partition | None:
        """A partition that is hosted and works, by its topic's id."""
        if self._behind.changed:
            self._hosting.hurry_by_id(topic_id, index, self._now)
        return self._online.get_by_id(topic_id, index)

    def get(self, topic: str, index: int) -> Partition:
        """A partition by its topic's name.

        KAFKA_STORAGE_ERROR where its folder is offline, NOT_LEADER_OR_FOLLOWER where another broker hosts it,
        UNKNOWN_TOPIC_OR_PARTITION where there is none.
        """
        found = self.find(topic, index)
        if found is not None:
            return found
        raise self._absent(topic, index)

    def get_by_id(self, topic_id: Uuid, index: int) -> Partition:
        """A partition by its topic's id; UNKNOWN_TOPIC_ID where there is no such topic, else as `get`."""
        found = self.find_by_id(topic_id, index)
        if found is not None:
            return found
        topic = self._publisher.image.topics.by_id.get(topic_id)
        if topic is None:
            raise KafkaError(ErrorCode.UNKNOWN_TOPIC_ID, "no topic has this id")
        raise self._absent(topic.name, index)

    def _absent(self, topic: str, index: int) -> KafkaError:
        if (topic, index) in self._placement.offline:
            return KafkaError(ErrorCode.KAFKA_STORAGE_ERROR, f"{topic}-{index} is in a log folder that is offline")
        if self._publisher.image.partition(topic, index) is not None:
            return KafkaError(ErrorCode.NOT_LEADER_OR_FOLLOWER, f"{topic}-{index} is not hosted here")
        return KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"there is no partition {topic}-{index}")

    def __iter__(self) -> Iterator[Partition]:
        """All that are hosted and work."""
        return iter(self._online)

    def __len__(self) -> int:
        return len(self._online)

    # -- metadata -----------------------------------------------------------------------------------------------

    def attach(
        self,
        publisher: Publisher,
        settings: NodeConfig,
        report: FolderReport,
        now: Now,
        on_loaded: Callable[[Now], None] = lambda now: None,
    ) -> None:
        """Load the log of every partition that the metadata puts here, set aside the others, and follow metadata.

        `report` tells the controller what it has to know of folders; `on_loaded` is called once all are loaded, which
        may be now.
        """
        self._publisher, self._settings, self._report_folders = publisher, settings, report
        self._node_id, self._now, self._on_loaded = settings.static.node_id, now, on_loaded
        self._folders.cordoned = cordoned_folders(settings.current)
        self._upkeep = Upkeep(lambda: settings.current, self._flushes, now.monotonic_ms, self._on_deleted_segments)
        self._cleaner = Cleaner(
            lambda: settings.current,
            self._folders,
            self._outbox,
            self._flushes,
            self._on_warning,
            self._on_notice,
            self._on_deleted_segments,
        )
        silent_since_ms = now.wall_ms - settings.current.number("producer.id.expiration.ms")
        self._placement = Placement(self._folders, self._node_id, silent_since_ms)
        self._exchange = ReplicaExchange.begin(
            config=settings.static,
            outbox=self._outbox,
            channel=self._channel,
            on_notice=self._on_notice,
            now=now,
        )
        self._moves = Moves(
            placement=self._placement,
            throttle=self._exchange.local.throttles.move,
            assign=self._assign,
            on_event=self._on_notice,
        )
        self._hosting = Hosting(
            settings=settings,
            publisher=publisher,
            online=self._online,
            behind=self._behind,
            placement=self._placement,
            moves=self._moves,
            exchange=self._exchange,
            flushes=self._flushes,
            on_touched=self._on_touched,
            on_event=self._on_event,
        )
        self._exchange.on_brokers(publisher.image.brokers)
        self._exchange.on_configs(publisher.image)
        self._placement.set_strays_aside(publisher.image, self._on_notice)
        for topic in publisher.image.topics:
            self._behind.note(self._node_id, topic, topic.partitions.values(), is_new=False)
        publisher.subscribe(self.on_metadata)
        self._hosting.catch_up(now)
        self._tell_loaded(now)

    @property
    def is_loaded(self) -> bool:
        """Whether all logs that were here at the start are open."""
        return self._on_loaded is None

    def on_registered(self, broker_epoch: int, now: Now) -> None:
        """The controller knows this broker under an epoch: from now on it may fetch from others (KIP-903)."""
        self._exchange.on_registered(broker_epoch, now)

    def on_metadata(self, delta: MetadataDelta, now: Now) -> None:
        """Make, delete, lead, follow and configure as the metadata says now, some partitions at once."""
        self._now = now
        self._exchange.on_brokers(delta.after.brokers)
        for topic in delta.deleted_topics.values():
            for index in topic.partitions:
                self._hosting.drop(topic, index, now)
        for change in delta.changed_topics.values():
            if change.after is not None:
                changed = list(change.changed_partitions())
                self._hosting.drop_moved(change.after, changed, now)
                self._behind.note(self._node_id, change.after, changed, is_new=True)
        self._hosting.catch_up(now)
        if delta.has_broker_changes:
            self._exchange.check_lag(self, now)
        configs = delta.changed_configs
        if any(kind == BROKER for kind, _ in configs):
            self._folders.cordoned = cordoned_folders(self._settings.current)
            self._cleaner.look_now(now)
            self._exchange.on_configs(delta.after)
            self._hosting.reconfigure(dict.fromkeys(partition.topic for partition in self))
        else:
            self._hosting.reconfigure(name for kind, name in configs if kind == TOPIC)

    def _tell_loaded(self, now: Now) -> None:
        if not self._behind and self._hosting.opening is None and (on_loaded := self._on_loaded) is not None:
            self._on_loaded = None
            on_loaded(now)

    # -- time ---------------------------------------------------------------------------------------------------

    def next_deadline_ms(self) -> int | None:
        """When `on_time` must be called next (monotonic); None before `attach`."""
        if self._upkeep is None:
            return None
        is_loading = self._behind or self._hosting.opening is not None or self._on_loaded is not None
        if is_loading or self._placement.has_news or self._flushes.has_work(self._folders):
            return 0
        earliest = self._exchange.next_deadline_ms()
        if self._upkeep.next_deadline_ms < earliest:
            earliest = self._upkeep.next_deadline_ms
        return min(earliest, self._cleaner.next_deadline_ms, self._moves.next_deadline_ms())

    def on_time(self, now: Now) -> None:
        """Go on with what the metadata has changed, tell the controller of folders, and do what is due."""
        if self._upkeep is None:
            return
        self._now = now
        self._hosting.catch_up(now)
        self._tell_loaded(now)
        self._placement.report(self._report_folders, now)
        self._flushes.go_on(self._folders)
        self._exchange.on_time(self, now)
        self._moves.on_time(now)
        self._cleaner.on_time(now)
        self._upkeep.on_time(self._folders, now)

    def _on_deleted_segments(self) -> None:
        """Logs start later than they did: followers and leaders are told."""
        for partition in self:
            partition.touch()
        self._exchange.fetchers.look_at_all()

    def may_close(self) -> bool:
        """Begin no more flushes; whether those that were begun have ended."""
        self._flushes.hold(self._folders)
        if self._upkeep is None:
            return self._flushes.is_idle
        self._cleaner.hold()
        return self._flushes.is_idle and self._cleaner.is_idle

    def close(self, now: Now, broker_epoch: int) -> None:
        """Close every log in order and leave the clean-shutdown marks, once `may_close`.

        A folder gets no mark that is offline, nor does any while logs of an earlier run are not loaded.
        """
        for partition in self._online:
            self._exchange.forget(partition)  # what a leader answers now would be appended to a closed log
            partition.leave()  # and whoever waits for it would read a closed log
        for folder in self._folders.folders.values():
            folder.close(now.wall_ms, broker_epoch, is_whole=self._upkeep is not None and self.is_loaded)
        self._online.clear()
