"""From one image to the next: records replayed over it, with what changed before and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from reference_broker.metadata.brokers import BrokerChange, BrokersDelta
from reference_broker.metadata.configs import TOPIC, ConfigChange, ConfigResource, ConfigsDelta
from reference_broker.metadata.features import FeaturesDelta
from reference_broker.metadata.image import MetadataImage
from reference_broker.metadata.kept_records import FAMILIES, KeptRecordsDelta
from reference_broker.metadata.topics import TopicImage
from reference_broker.metadata.topics_delta import TopicChange, TopicsDelta
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


class MetadataDelta:
    """Changes to an image. Make it over `before`, replay records, then read `after` and the changes.

    Records of a metadata transaction count when it ends (KIP-868); `transaction` are those of one that is open.
    """

    def __init__(self, before: MetadataImage, transaction: Iterable[VersionedRecord] | None = None) -> None:
        self.before = before
        self.transaction = None if transaction is None else list(transaction)
        self.next_producer_id = before.next_producer_id
        self._topics = TopicsDelta(before.topics)
        self._cluster = BrokersDelta(before.cluster)
        self._configs = ConfigsDelta(before.configs)
        self._features = FeaturesDelta(before.features)
        self._kept = KeptRecordsDelta(before.kept)
        self._offset, self._epoch = before.offset, before.epoch
        self._after: MetadataImage | None = None

    @classmethod
    def of(cls, before: MetadataImage, records: Iterable[VersionedRecord], offset: int, epoch: int) -> MetadataDelta:
        """The delta of one batch of records, whose last one is at `offset`, written in `epoch`."""
        delta = cls(before)
        delta.replay_batch(records, offset, epoch)
        return delta

    # -- what changed -------------------------------------------------------------------------------------------

    @property
    def after(self) -> MetadataImage:
        """The image with all changes made; it stays as it is when more is replayed."""
        if self._after is None:
            self._after = MetadataImage(
                cluster_id=self.before.cluster_id,
                topics=self._topics.after(),
                cluster=self._cluster.after(),
                configs=self._configs.after(),
                features=self._features.after(),
                next_producer_id=self.next_producer_id,
                kept=self._kept.after(),
                offset=self._offset,
                epoch=self._epoch,
            )
        return self._after

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed but the offset."""
        return not (
            self.changed_topics
            or self.changed_configs
            or self.changed_features
            or self.has_broker_changes
            or self.next_producer_id != self.before.next_producer_id
            or not self._kept.is_empty
        )

    @property
    def changed_topics(self) -> dict[Uuid, TopicChange]:
        """Topics by id, (before, after), in the order in which they changed first."""
        return self._topics.changes()

    @property
    def deleted_topics(self) -> dict[Uuid, TopicImage]:
        """Those of the changed topics that are gone, as they were."""
        changes = self.changed_topics.items()
        return {topic_id: one.before for topic_id, one in changes if one.after is None and one.before is not None}

    @property
    def changed_brokers(self) -> dict[int, BrokerChange]:
        """Brokers by node id, (before, after), in the order in which they changed first."""
        return self._cluster.changes()

    @property
    def has_broker_changes(self) -> bool:
        """Whether a broker or a controller changed."""
        return not self._cluster.is_empty

    @property
    def changed_configs(self) -> dict[ConfigResource, ConfigChange]:
        """Configurations by resource, (before, after), in the order in which they changed first."""
        return self._configs.changes()

    @property
    def changed_features(self) -> dict[str, tuple[int, int]]:
        """Feature levels by name, (before, after), 0 for none."""
        return self._features.changes()

    # -- records ------------------------------------------------------------------------------------------------

    def replay_batch(self, records: Iterable[VersionedRecord], offset: int, epoch: int) -> None:
        """The records of a batch whose last one is at `offset`, written in `epoch`.

        KeyError or TypeError for a record that does not fit the image: then nothing may be made of the delta.
        """
        for message, version in records:
            self.replay(message, version)
        if self.transaction is None:
            self._offset, self._epoch, self._after = offset, epoch, None

    def become(self, target: MetadataImage) -> Iterator[None]:
        """All that differs from a whole other image. It is done step by step, as the iterator is advanced."""
        yield from self._topics.become(target.topics)
        yield from self._configs.become(target.configs)
        self._cluster.become(target.cluster)
        self._features.become(target.features)
        self._kept.become(target.kept)
        self.next_producer_id = target.next_producer_id
        self._offset, self._epoch, self._after = target.offset, target.epoch, None

    def replay(self, message: Any, version: int) -> None:
        """Apply one record, or keep it until its transaction ends."""
        match message:
            case BeginTransactionRecord():
                self.transaction = []
            case EndTransactionRecord():
                records, self.transaction = self.transaction or [], None
                for one, its_version in records:
                    self._apply(one, its_version)
            case AbortTransactionRecord():
                self.transaction = None
            case _ if self.transaction is not None:
                self.transaction.append((message, version))
            case _:
                self._apply(message, version)

    def _apply(self, message: Any, version: int) -> None:
        self._after = None
        match message:
            case PartitionChangeRecord():
                self._topics.replay_partition_change(message)
            case PartitionRecord():
                self._topics.replay_partition(message)
            case TopicRecord():
                self._topics.replay_topic(message)
            case RemoveTopicRecord():
                topic = self._topics.replay_removal(message.topic_id)
                self._configs.remove((TOPIC, topic.name))
            case ClearElrRecord():
                self._topics.replay_clear_elr(message.topic_name)
            case ConfigRecord():
                self._configs.replay(message)
            case FeatureLevelRecord():
                self._features.replay(message)
            case ProducerIdsRecord():
                self.next_producer_id = message.next_producer_id
            case NoOpRecord():
                pass
            case _ if isinstance(message, FAMILIES):
                self._kept.replay(message, version)
            case _:
                self._apply_to_cluster(message)

    def _apply_to_cluster(self, message: Any) -> None:
        match message:
            case RegisterBrokerRecord():
                self._cluster.replay_registration(message)
            case BrokerRegistrationChangeRecord():
                self._cluster.replay_change(message)
            case FenceBrokerRecord() | UnfenceBrokerRecord():
                self._cluster.replay_fencing(message.id, is_fenced=isinstance(message, FenceBrokerRecord))
            case UnregisterBrokerRecord():
                self._cluster.replay_unregistration(message.broker_id)
            case RegisterControllerRecord():
                self._cluster.replay_controller(message)
            case UnregisterControllerRecord():
                self._cluster.replay_controller_removal(message.controller_id)
            case _:
                raise TypeError(f"no rule for the metadata record {type(message).__name__}")
