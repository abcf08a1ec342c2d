"""The data path of a broker without a server: a controller, hosted partitions, fetch sessions, a disk in memory."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any, cast

from memory_disk import MemoryDisk
from metadata_log_in_memory import MetadataLogInMemory
from own_broker import OwnBroker
from quorum_of_one import lead_metadata

from reference_broker.apis.context import BrokerContext, BrokerParts, ControllerContext, Parts, Session
from reference_broker.apis.forwarded import FORWARDABLE
from reference_broker.apis.refusals import refuse
from reference_broker.apis.registry import CONTROLLER, served
from reference_broker.broker.channel import ControllerChannel
from reference_broker.broker.producer_ids import ProducerIds
from reference_broker.broker.topic_creation import TopicCreation, wanted_topic
from reference_broker.effects import Flushable, Outbox
from reference_broker.environment import Now
from reference_broker.releases import BASELINE, Release
from reference_broker.replication.fetch_session import FetchSessions
from reference_broker.replication.partition import Partition
from reference_broker.replication.partitions import Partitions
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.waiting import Later
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.codec import decode, encode_bytes
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_topics_request import (
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest
from reference_broker.wire.primitives import BrokerId, FileSlice, Uuid
from reference_broker.wire.records import Batch, Record, encode_batch, iter_batches
from reference_broker.wire.refusal import KafkaError

NOW = 1_700_000_000_000
NODE = 1
FOLDERS = {"/data": Uuid(b"f" * 16)}
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": str(NODE),
    "listeners": "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093",
    "controller.listener.names": "CONTROLLER",
    "controller.quorum.bootstrap.servers": "127.0.0.1:9093",
    "offsets.topic.replication.factor": "1",
}


def at(ms: int) -> Now:
    """A time at which both clocks show the same."""
    return Now(ms, ms)


class DirectChannel:
    """What a broker asks the active controller for is answered at once, by the handlers of its APIs."""

    def __init__(self, broker: BrokerInMemory) -> None:
        self._broker = broker

    def request(self, api_key: ApiKey, message: Any, then: Callable[[Any, Now], None], now: Now) -> None:
        handler = served(CONTROLLER, BASELINE)[api_key].handler
        then(self._broker.call(cast(ModuleType, handler), message), now)


class AskingBroker:
    """The parts of a broker by which it asks for ids and topics, over a direct channel."""

    def __init__(self, broker: BrokerInMemory) -> None:
        channel = cast(ControllerChannel, DirectChannel(broker))

        def log(level: str, text: str) -> None:
            broker.events.append(text)

        self.topic_creation = TopicCreation(channel, log)
        self.producer_ids = ProducerIds(
            broker_id=BrokerId(NODE), broker_epoch=lambda: broker.own.epoch, channel=channel, log=log
        )


class FlushingOutbox(Outbox):
    """Flushes are done as they are asked for."""

    def flush(self, targets: Sequence[Flushable], then: Callable[[OSError | None, Now], None]) -> None:
        failure: OSError | None = None
        for one in targets:
            try:
                one.flush()
            except OSError as error:
                failure = failure or error
        then(failure, at(NOW))


class BrokerInMemory:
    """`now_ms` stands still until a test moves it. `touched` are the partitions that have somebody to wake."""

    def __init__(
        self,
        disk: MemoryDisk | None = None,
        metadata: MetadataLogInMemory | None = None,
        folders: dict[str, Uuid] | None = None,
        settings: dict[str, str] | None = None,
        release: Release = BASELINE,
    ) -> None:
        self.disk, self.metadata = disk or MemoryDisk(), metadata or MetadataLogInMemory()
        self.folders, self.settings = folders or FOLDERS, settings or {}
        self.now_ms = NOW
        self.touched: list[Partition] = []
        self.events: list[str] = []
        self.outbox = FlushingOutbox()
        for path in self.folders:
            if not self.disk.is_broken:
                self.disk.make_directories(path)
        config = BrokerConfig.of(SETTINGS | {"log.dirs": ",".join(self.folders)} | self.settings, release=release)
        chance = random.Random(7 + self.metadata.high_watermark)  # each start is another incarnation
        self.partitions = Partitions.open(
            disk=self.disk,
            directories=self.folders,
            random=chance,
            on_touched=self.touched.append,
            now_ms=NOW,
            on_event=self.events.append,
            on_notice=self.events.append,
            on_warning=self.events.append,
            outbox=self.outbox,
        )
        self.halts: list[str] = []
        parts = lead_metadata(
            log=self.metadata, cluster_id="C", config=config, now=self.now, random=chance, halt=self.halts.append
        )
        self.controller, self.publisher, self.node_config = parts.controller, parts.publisher, parts.settings
        self.own = OwnBroker(self.controller)
        self.assigned: list[tuple[Any, Uuid, Callable[[Now], None]]] = []
        self.partitions.connect(
            cast(Any, None), lambda one, folder, now, then: self.assigned.append((one, folder, then))
        )
        self.partitions.attach(self.publisher, self.node_config, self.own.report_folders, self.now)
        self.own.start(
            log_dirs=self.partitions.folders.online_ids,
            previous_broker_epoch=self.partitions.folders.previous_broker_epoch,
            now=self.now,
        )
        self.partitions.on_registered(self.own.epoch, self.now)
        self.partitions.on_time(self.now)
        self.sessions = FetchSessions(
            random=chance, capacity=config.number("max.incremental.fetch.session.cache.slots")
        )
        self.broker_parts = BrokerParts(
            broker=cast(Any, AskingBroker(self)),
            partitions=self.partitions,
            groups=cast(Any, None),
            fetch_sessions=self.sessions,
        )
        self.parts = Parts(
            controller=self.controller,
            random=chance,
            quorum=cast(Any, parts.quorum),
            snapshots=parts.snapshots,
            publisher=parts.publisher,
            settings=parts.settings,
            broker=self.broker_parts,
        )
        self.broker_parts.broker.producer_ids.ask_ahead(self.now)

    @property
    def now(self) -> Now:
        """The time by both clocks."""
        return at(self.now_ms)

    def stop(self) -> None:
        """In order, with the clean-shutdown marks."""
        self.own.stop(self.now)
        self.partitions.close(self.now, self.own.epoch)

    def restarted(self, *, is_clean: bool = True) -> BrokerInMemory:
        """The broker as it comes up again on what it left."""
        if is_clean:
            self.stop()
        return BrokerInMemory(self.disk, self.metadata, self.folders, self.settings)

    # -- topics -------------------------------------------------------------------------------------------------

    def create(self, name: str = "t", partitions: int = 1, **configs: str) -> Uuid:
        """A topic; its id."""
        settings = tuple(
            CreatableTopicConfig(name=key.replace("_", "."), value=value) for key, value in configs.items()
        )
        topic = CreatableTopic(name=name, num_partitions=partitions, replication_factor=1, configs=settings)
        request = CreateTopicsRequest(topics=(topic,))
        self.controller.submit(lambda image: self.controller.topics(image).decide_creation(request), self.now)
        return self.controller.image.topics.by_name[name].id

    def create_wanted(self, name: str) -> None:
        """One of Kafka's own topics, as a broker asks for it."""
        request = CreateTopicsRequest(topics=(wanted_topic(name, self.node_config.current),))
        self.controller.submit(lambda image: self.controller.topics(image).decide_creation(request), self.now)

    def delete(self, name: str = "t") -> None:
        """A topic goes."""
        request = DeleteTopicsRequest(topic_names=(name,), timeout_ms=10_000)
        self.controller.submit(lambda image: self.controller.topics(image).decide_deletion(request, 5), self.now)

    def partition(self, name: str = "t", index: int = 0) -> Partition:
        """One that is hosted."""
        return self.partitions.get(name, index)

    def follow(self, name: str = "t", index: int = 0) -> None:
        """Another broker leads a partition now, in the same leader epoch."""
        image = self.controller.image.partition(name, index)
        assert image is not None
        self.partition(name, index).update(replace(image, leader=2, partition_epoch=99), at(self.now_ms))

    def append(self, *values: bytes, name: str = "t", index: int = 0, **options: Any) -> int:
        """A batch of records past all checks; the offset of the first."""
        return self.partition(name, index).append_own(batch(*values, **options), self.now_ms).first_offset

    # -- requests -----------------------------------------------------------------------------------------------

    def context(
        self, version: int, client_id: str | None = "client", *, is_for_controller: bool = False
    ) -> BrokerContext | ControllerContext:
        """A request's circumstances."""
        return (ControllerContext if is_for_controller else BrokerContext)(
            now=self.now,
            api_version=version,
            client_id=client_id,
            session=Session("PLAINTEXT", "127.0.0.1"),
            parts=self.parts,
        )

    def call(self, api: ModuleType, request: Any, version: int | None = None, client_id: str | None = "client") -> Any:
        """What a handler says to a request, both through their encodings; a refusal becomes its response."""
        version = max(api.VERSIONS) if version is None else version
        asked = decode(type(request), version, encode_bytes(request, version))
        try:
            is_for_controller = api.API in FORWARDABLE or "broker" not in api.LISTENERS
            result = api.handle(asked, self.context(version, client_id, is_for_controller=is_for_controller))
        except KafkaError as error:
            result = refuse(api, asked, version, error.code, error.detail)
        return result

    def waits(self, later: Any) -> bool:
        """Whether a request still waits after everybody was told how things are."""
        for one in self.partitions:
            one.touch()
        while self.touched:
            self.touched.pop(0).wake(self.now)
        return not later.is_done

    def wake(self, later: Any, *, is_late: bool = False) -> Any:
        """What a request that waited is answered: it is ready, or its time is over."""
        assert isinstance(later, Later)
        if is_late:
            later.expire(at(later.deadline_ms))
        assert not self.waits(later)
        answers: list[Any] = []
        later.then(answers.append)
        return answers[0]

    def stored(self, slices: Any, name: str = "t", index: int = 0) -> list[Batch]:
        """The batches that file slices stand for, read from the partition's last segment."""
        log = self.partition(name, index).log
        content = self.disk.files[log.segments[-1].file.path]
        parts = [slices] if isinstance(slices, FileSlice) else list(slices or ())
        return list(iter_batches(b"".join(content[one.position : one.position + one.size] for one in parts)))


def batch(*values: bytes, timestamp: int = NOW, key: bytes | None = b"k", **options: Any) -> bytes:
    """A batch of records with these values."""
    records = [Record(at, timestamp + at, key, value) for at, value in enumerate(values or (b"v",))]
    return encode_batch(records, **options)


def codes(response: Any) -> list[ErrorCode]:
    """The error of every partition of a response, in order."""
    topics = response.responses if hasattr(response, "responses") else response.topics
    found = []
    for topic in topics:
        partitions = topic.partition_responses if hasattr(topic, "partition_responses") else topic.partitions
        found += [ErrorCode(one.error_code) for one in partitions]
    return found


def values(broker: BrokerInMemory, name: str = "t", index: int = 0) -> list[bytes | None]:
    """The values of a partition's records, from its log's start on."""
    log = broker.partition(name, index).log
    return [record.value for batch in log.batches_from(log.log_start_offset) for record in batch.records()]
