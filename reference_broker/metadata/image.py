"""The cluster's metadata as of one offset of the metadata log. It changes by `replay` only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from reference_broker.metadata.brokers import BrokerImage, BrokersImage
from reference_broker.metadata.kept_records import FAMILIES, KeptRecords
from reference_broker.metadata.topics import PartitionImage, TopicImage, TopicsImage
from reference_broker.releases import METADATA_VERSION
from reference_broker.wire.messages.abort_transaction_record import AbortTransactionRecord
from reference_broker.wire.messages.begin_transaction_record import BeginTransactionRecord
from reference_broker.wire.messages.broker_registration_change_record import BrokerRegistrationChangeRecord
from reference_broker.wire.messages.clear_elr_record import ClearElrRecord
from reference_broker.wire.messages.config_record import ConfigRecord
from reference_broker.wire.messages.end_transaction_record import EndTransactionRecord
from reference_broker.wire.messages.feature_level_record import FeatureLevelRecord
from reference_broker.wire.messages.fence_broker_record import FenceBrokerRecord
from reference_broker.wire.messages.no_op_record import NoOpRecord
from reference_broker.wire.messages.partition_change_record import PartitionChangeRecord
from reference_broker.wire.messages.partition_record import PartitionRecord
from reference_broker.wire.messages.producer_ids_record import ProducerIdsRecord
from reference_broker.wire.messages.register_broker_record import RegisterBrokerRecord
from reference_broker.wire.messages.register_controller_record import RegisterControllerRecord
from reference_broker.wire.messages.remove_topic_record import RemoveTopicRecord
from reference_broker.wire.messages.topic_record import TopicRecord
from reference_broker.wire.messages.unfence_broker_record import UnfenceBrokerRecord
from reference_broker.wire.messages.unregister_broker_record import UnregisterBrokerRecord
from reference_broker.wire.messages.unregister_controller_record import UnregisterControllerRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import Uuid

ELR_VERSION: Final = "eligible.leader.replicas.version"

TOPIC: Final = 2
BROKER: Final = 4
CLIENT_METRICS: Final = 16
GROUP: Final = 32

ConfigResource = tuple[int, str]
"""(resource type, name) of a configuration; the name is empty for all brokers."""


@dataclass(slots=True)
class MetadataDelta:
    """What changed since the last publication. Topics by id, in the order of change."""

    changed_topics: dict[Uuid, TopicImage] = field(default_factory=dict)
    deleted_topics: dict[Uuid, TopicImage] = field(default_factory=dict)
    changed_configs: dict[ConfigResource, None] = field(default_factory=dict)
    has_broker_changes: bool = False
    has_feature_changes: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return not (
            self.changed_topics
            or self.deleted_topics
            or self.changed_configs
            or self.has_broker_changes
            or self.has_feature_changes
        )


class MetadataImage:
    """All metadata: topics, brokers, configurations, features, producer ids, and what is kept for later steps."""

    def __init__(self, cluster_id: str) -> None:
        self.cluster_id = cluster_id
        self.topics = TopicsImage()
        self.cluster = BrokersImage()
        self.configs: dict[ConfigResource, dict[str, str]] = {}
        self.features: dict[str, int] = {}
        self.next_producer_id = 0
        self.kept = KeptRecords()
        self.offset = -1
        self.epoch = 0
        self.delta = MetadataDelta()
        self._transaction: list[VersionedRecord] | None = None

    @property
    def brokers(self) -> dict[int, BrokerImage]:
        """Registered brokers by node id."""
        return self.cluster.brokers

    @property
    def metadata_version(self) -> int:
        """The finalized level of metadata.version."""
        return self.features.get(METADATA_VERSION, 0)

    @property
    def has_elr(self) -> bool:
        """Whether eligible leader replicas are tracked (KIP-966)."""
        return self.features.get(ELR_VERSION, 0) > 0

    @property
    def partition_version(self) -> int:
        """The version of a partition's records: 1 names folders (KIP-858), 2 eligible leader replicas (KIP-966)."""
        return (self.metadata_version >= 17) + (self.metadata_version >= 23)

    def config(self, resource_type: int, name: str) -> dict[str, str]:
        """The dynamic configurations of a resource; a copy of nothing where it has none."""
        return self.configs.get((resource_type, name), {})

    def partition(self, topic: str, index: int) -> PartitionImage | None:
        """A partition by its topic's name and its index."""
        found = self.topics.get(topic)
        return None if found is None else found.partitions.get(index)

    def take_delta(self) -> MetadataDelta:
        """What changed since this was called last."""
        delta, self.delta = self.delta, MetadataDelta()
        return delta

    def replay(self, message: Any, version: int) -> None:
        """Apply one record. Those of a metadata transaction count when it ends (KIP-868)."""
        match message:
            case BeginTransactionRecord():
                self._transaction = []
            case EndTransactionRecord():
                records, self._transaction = self._transaction or [], None
                for one, its_version in records:
                    self._apply(one, its_version)
            case AbortTransactionRecord():
                self._transaction = None
            case _ if self._transaction is not None:
                self._transaction.append((message, version))
            case _:
                self._apply(message, version)

    def _apply(self, message: Any, version: int) -> None:
        match message:
            case TopicRecord():
                self.topics.replay_topic(message)
                self._touch(message.topic_id)
            case PartitionRecord():
                self.topics.replay_partition(message)
                self._touch(message.topic_id)
            case PartitionChangeRecord():
                self.topics.replay_partition_change(message)
                self._touch(message.topic_id)
            case RemoveTopicRecord():
                self._remove_topic(message.topic_id)
            case ClearElrRecord():
                self.topics.replay_clear_elr(message.topic_name)
            case ConfigRecord():
                self._apply_config(message)
            case FeatureLevelRecord():
                self._apply_feature(message)
            case ProducerIdsRecord():
                self.next_producer_id = message.next_producer_id
            case NoOpRecord():
                pass
            case _ if isinstance(message, FAMILIES):
                self.kept.replay(message, version)
            case _:
                self._apply_to_cluster(message)

    def _apply_to_cluster(self, message: Any) -> None:
        self.delta.has_broker_changes = True
        match message:
            case RegisterBrokerRecord():
                self.cluster.replay_registration(message)
            case BrokerRegistrationChangeRecord():
                self.cluster.replay_change(message)
            case FenceBrokerRecord() | UnfenceBrokerRecord():
                self.cluster.replay_fencing(message.id, is_fenced=isinstance(message, FenceBrokerRecord))
            case UnregisterBrokerRecord():
                self.cluster.brokers.pop(message.broker_id, None)
            case RegisterControllerRecord():
                self.cluster.controllers[message.controller_id] = message
            case UnregisterControllerRecord():
                self.cluster.controllers.pop(message.controller_id, None)
            case _:
                raise TypeError(f"no rule for the metadata record {type(message).__name__}")

    def _touch(self, topic_id: Uuid) -> None:
        self.delta.changed_topics[topic_id] = self.topics.by_id[topic_id]

    def _remove_topic(self, topic_id: Uuid) -> None:
        topic = self.topics.replay_removal(topic_id)
        self.configs.pop((TOPIC, topic.name), None)
        self.delta.changed_topics.pop(topic_id, None)
        self.delta.deleted_topics[topic_id] = topic

    def _apply_config(self, record: ConfigRecord) -> None:
        resource = (record.resource_type, record.resource_name)
        settings = self.configs.setdefault(resource, {})
        if record.value is None:
            settings.pop(record.name, None)
        else:
            settings[record.name] = record.value
        if not settings:
            del self.configs[resource]
        self.delta.changed_configs[resource] = None

    def _apply_feature(self, record: FeatureLevelRecord) -> None:
        if record.feature_level:
            self.features[record.name] = record.feature_level
        else:
            self.features.pop(record.name, None)
        self.delta.has_feature_changes = True

    def records(self) -> Iterator[VersionedRecord]:
        """The records that make this image, for a snapshot; metadata.version comes first."""
        for name in sorted(self.features, key=lambda name: (name != METADATA_VERSION, name)):
            yield FeatureLevelRecord(name=name, feature_level=self.features[name]), 0
        yield from self.cluster.records(version=registration_version(self.metadata_version))
        yield from self.topics.records(version=self.partition_version)
        for (resource_type, resource_name), settings in self.configs.items():
            for name, value in settings.items():
                yield (
                    ConfigRecord(resource_type=resource_type, resource_name=resource_name, name=name, value=value),
                    0,
                )
        if self.next_producer_id:
            yield ProducerIdsRecord(broker_id=-1, broker_epoch=-1, next_producer_id=self.next_producer_id), 0  # type: ignore[arg-type]
        yield from self.kept.records()


def registration_version(metadata_version: int) -> int:
    """The version of RegisterBrokerRecord that a metadata version writes."""
    for least, version in ((30, 4), (17, 3), (8, 2)):
        if metadata_version >= least:
            return version
    return 1
