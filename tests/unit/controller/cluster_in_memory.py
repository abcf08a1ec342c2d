"""A cluster's metadata for tests of deciders: brokers and partitions as wished, and decisions applied at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from reference_broker.controller.decision import Decision
from reference_broker.controller.sessions import BrokerSessions
from reference_broker.environment import Now
from reference_broker.metadata.delta import MetadataDelta
from reference_broker.metadata.image import BROKER, TOPIC, MetadataImage
from reference_broker.metadata.topics import PartitionImage
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.messages.config_record import ConfigRecord
from reference_broker.wire.messages.feature_level_record import FeatureLevelRecord
from reference_broker.wire.messages.register_broker_record import BrokerFeature, RegisterBrokerRecord
from reference_broker.wire.messages.topic_record import TopicRecord
from reference_broker.wire.primitives import BrokerId, TopicName, Uuid

SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "listeners": "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093",
    "controller.listener.names": "CONTROLLER",
    "controller.quorum.bootstrap.servers": "127.0.0.1:9093",
    "log.dirs": "/data",
}
CONFIG = BrokerConfig.of(SETTINGS)
SESSION_MS = 9_000
METADATA_VERSIONS = (7, 30)


def at(monotonic_ms: int) -> Now:
    """A time; the wall clock does not matter to these deciders."""
    return Now(wall_ms=1_000_000, monotonic_ms=monotonic_ms)


def directory(broker_id: int, number: int = 0) -> Uuid:
    """The id of a broker's folder."""
    return Uuid(bytes([1, broker_id, number]) + bytes(13))


def incarnation(number: int) -> Uuid:
    """The id of a start of a broker."""
    return Uuid(bytes([2, number]) + bytes(14))


@dataclass
class Cluster:
    """An image, and the offset of the next record."""

    image: MetadataImage = field(default_factory=lambda: MetadataImage(cluster_id="C"))
    next_offset: int = 0
    sessions: BrokerSessions = field(default_factory=lambda: BrokerSessions(SESSION_MS))

    @classmethod
    def of(cls, *brokers: int, has_elr: bool = True, metadata_version: int = 30, racks: str = "") -> Cluster:
        """Brokers that are alive; `racks` names the rack of each by one letter."""
        cluster = cls()
        features = {"metadata.version": metadata_version, "eligible.leader.replicas.version": int(has_elr)}
        cluster.replay(*(FeatureLevelRecord(name=name, feature_level=level) for name, level in features.items()))
        for at_index, broker_id in enumerate(brokers):
            cluster.add_broker(broker_id, rack=racks[at_index] if racks else None)
        return cluster

    def replay(self, *messages: Any) -> None:
        """Records are committed."""
        self.commit(tuple((message, 0) for message in messages))

    def commit(self, records: tuple[Any, ...]) -> None:
        """Records with their versions are committed."""
        self.next_offset += len(records)
        self.image = MetadataDelta.of(self.image, records, self.next_offset - 1, 1).after

    def apply(self, decision: Decision) -> Any:
        """A decision's records are committed; its response."""
        self.commit(decision.records)
        return decision.response

    def add_broker(
        self, broker_id: int, *, rack: str | None = None, is_fenced: bool = False, folders: int = 1, **changes: Any
    ) -> None:
        """Register a broker under the log's next offset as its epoch."""
        record = RegisterBrokerRecord(
            broker_id=BrokerId(broker_id),
            incarnation_id=incarnation(1),
            broker_epoch=self.next_offset,
            rack=rack,
            fenced=is_fenced,
            log_dirs=tuple(directory(broker_id, number) for number in range(folders)),
            features=(
                BrokerFeature(name="metadata.version", min_supported_version=7, max_supported_version=30),
                BrokerFeature(name="kraft.version", min_supported_version=0, max_supported_version=1),
                BrokerFeature(
                    name="eligible.leader.replicas.version", min_supported_version=0, max_supported_version=1
                ),
            ),
            **changes,
        )
        self.replay(record)

    def epoch(self, broker_id: int) -> int:
        """A broker's epoch."""
        return self.image.brokers[broker_id].epoch

    def add_topic(self, *partitions: PartitionImage, name: str = "t", **settings: str) -> None:
        """A topic of these partitions; `settings` with underscores for dots."""
        topic_id = topic_id_of(name)
        self.replay(TopicRecord(name=TopicName(name), topic_id=topic_id))
        for key, value in settings.items():
            self.replay(ConfigRecord(resource_type=TOPIC, resource_name=name, name=key.replace("_", "."), value=value))
        self.commit(tuple(one.record(topic_id, version=self.image.partition_version) for one in partitions))

    def configure_brokers(self, name: str, value: str, broker: str = "") -> None:
        """A dynamic setting of all brokers, or of one."""
        self.replay(ConfigRecord(resource_type=BROKER, resource_name=broker, name=name, value=value))

    def partition(self, index: int = 0, topic: str = "t") -> PartitionImage:
        """A partition as it is now."""
        found = self.image.partition(topic, index)
        assert found is not None
        return found


def topic_id_of(name: str) -> Uuid:
    """The id of a topic of these tests."""
    return Uuid(name.encode().ljust(16, b"\x00"))


def partition(
    *replicas: int, isr: tuple[int, ...] | None = None, leader: int | None = None, index: int = 0, **changes: Any
) -> PartitionImage:
    """A partition: all in sync and led by the first in sync, unless said otherwise."""
    in_sync = replicas if isr is None else isr
    if leader is None:
        leader = in_sync[0] if in_sync else -1
    fields = {
        "index": index,
        "replicas": replicas,
        "isr": in_sync,
        "leader": leader,
        "leader_epoch": 5,
        "partition_epoch": 9,
        "directories": tuple(directory(one) for one in replicas),
    }
    return PartitionImage(**(fields | changes))
