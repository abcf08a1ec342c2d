"""The controller: decides, appends to the metadata log, replays into the image, tells who must know.

Source: KIP-631. One node is leader and only voter here; `log` hides how an append is committed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from reference_broker.configs import BrokerConfig
from reference_broker.controller.broker_lifecycle import (
    controlled_shutdown_records,
    fencing_records,
    register_controller_record,
    registration_records,
    unfencing_records,
)
from reference_broker.controller.config_admin import ConfigAdmin
from reference_broker.controller.config_description import ConfigDescriptions
from reference_broker.controller.decision import Decision, MetadataLog, random_uuid
from reference_broker.controller.topic_admin import TopicAdmin
from reference_broker.environment import Now, Random
from reference_broker.metadata.image import BROKER, TOPIC, MetadataDelta, MetadataImage
from reference_broker.releases import METADATA_VERSION, metadata_version_name
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.begin_transaction_record import BeginTransactionRecord
from reference_broker.wire.messages.config_record import ConfigRecord
from reference_broker.wire.messages.end_transaction_record import EndTransactionRecord
from reference_broker.wire.messages.feature_level_record import FeatureLevelRecord
from reference_broker.wire.messages.no_op_record import NoOpRecord
from reference_broker.wire.messages.producer_ids_record import ProducerIdsRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import BrokerId, ProducerId, Uuid
from reference_broker.wire.refusal import KafkaError

PRODUCER_ID_BLOCK: Final = 1000
TRANSACTION_SINCE: Final = 13
"""The metadata version (3.6-IV1) from which bootstrap records stand in a metadata transaction."""

Subscriber = Callable[[MetadataDelta, Now], None]
"""Told what changed and when, after every commit that changed something."""


class Controller:
    """The active controller. Every method that writes may raise OSError: the node must then halt."""

    def __init__(self, *, log: MetadataLog, cluster_id: str, config: BrokerConfig, random: Random):
        self.log, self.static_config, self.random, self.release = log, config, random, config.release
        self.image = MetadataImage(cluster_id)
        self.config = config
        self.broker_epoch = -1
        self.incarnation_id = random_uuid(random)
        self.topics = TopicAdmin(self)
        self.configs = ConfigAdmin(self)
        self.descriptions = ConfigDescriptions(self)
        self._subscribers: list[Subscriber] = []
        self._last_append_ms = 0
        self._producer_ids = range(0)

    @classmethod
    def open(
        cls,
        *,
        log: MetadataLog,
        cluster_id: str,
        config: BrokerConfig,
        now: Now,
        random: Random,
        bound: dict[str, int] | None = None,
    ) -> Controller:
        """Load the image, lead, bootstrap a new cluster, register this controller.

        `bound` gives the ports of listeners that asked the system for one.
        """
        controller = cls(log=log, cluster_id=cluster_id, config=config, random=random)
        for batch in log.load():
            for message, version in batch.records:
                controller.image.replay(message, version)
            controller.image.offset, controller.image.epoch = batch.last_offset, batch.epoch
        controller._check_metadata_version()
        log.lead(now.wall_ms)
        controller.image.offset, controller.image.epoch = log.high_watermark - 1, log.leader_epoch
        controller._last_append_ms = now.monotonic_ms
        if not controller.image.features:
            controller.commit(controller._bootstrap_records(), now)
        controller.image.take_delta()
        controller._refresh_config()
        controller.commit((register_controller_record(controller, bound or {}),), now)
        return controller

    def _check_metadata_version(self) -> None:
        """UNSUPPORTED_VERSION for a cluster that is ahead of the release: its records may be unknown here."""
        level, most = self.image.metadata_version, self.release.metadata_version
        if level > most:
            raise KafkaError(
                ErrorCode.UNSUPPORTED_VERSION,
                f"the cluster's metadata.version is {metadata_version_name(level)}, and {self.release.name} knows none "
                f"after {metadata_version_name(most)}: start it with the profile of a newer release",
            )

    def _bootstrap_records(self) -> tuple[VersionedRecord, ...]:
        """The storage tool's records, or a new cluster's defaults; with ELR the cluster's min.insync.replicas."""
        records = list(self.log.bootstrap_records())
        if not records:
            level = self.release.metadata_version
            levels = {METADATA_VERSION: level, **self.release.default_features(level)}
            records = [(FeatureLevelRecord(name=name, feature_level=one), 0) for name, one in levels.items()]
        features = {
            message.name: message.feature_level for message, _ in records if isinstance(message, FeatureLevelRecord)
        }
        if features.get("eligible.leader.replicas.version"):
            value = str(self.static_config.number("min.insync.replicas"))
            record = ConfigRecord(resource_type=BROKER, resource_name="", name="min.insync.replicas", value=value)
            records.append((record, 0))
        if features.get(METADATA_VERSION, 0) >= TRANSACTION_SINCE:
            return (
                (BeginTransactionRecord(name="Bootstrap records"), 0),
                *records,
                (EndTransactionRecord(), 0),
            )
        return tuple(records)

    # -- deciding and committing --------------------------------------------------------------------------------

    def submit(self, decide: Callable[[], Decision], now: Now) -> Any:
        """Decide, commit the records, and give the response; KafkaError from the decider passes through."""
        decision = decide()
        if decision.records:
            self.commit(decision.records, now)
        return decision.response

    def commit(self, records: tuple[VersionedRecord, ...], now: Now, *, must_last: bool = True) -> int:
        """Append as one batch, replay, tell the subscribers; the offset of the last record."""
        last = self.log.append(records, now.wall_ms, must_last=must_last)
        for message, version in records:
            self.image.replay(message, version)
        self.image.offset, self.image.epoch = last, self.log.leader_epoch
        self._last_append_ms = now.monotonic_ms
        self._publish(now)
        return last

    def subscribe(self, subscriber: Subscriber) -> None:
        """Have a part of the node told of every change from now on."""
        self._subscribers.append(subscriber)

    def _publish(self, now: Now) -> None:
        delta = self.image.take_delta()
        if delta.is_empty:
            return
        if any(resource_type == BROKER for resource_type, _ in delta.changed_configs):
            self._refresh_config()
        for subscriber in self._subscribers:
            subscriber(delta, now)

    def _refresh_config(self) -> None:
        """The node's settings with the cluster's and its own dynamic ones laid over them (KIP-226)."""
        known = self.static_config.keys.broker
        layers = [
            {name: text for name, text in self.image.config(BROKER, resource).items() if name in known}
            for resource in ("", str(self.static_config.node_id))
        ]
        self.config = self.static_config.with_dynamic(*layers)

    # -- this broker's life -------------------------------------------------------------------------------------

    def start_broker(
        self, *, log_dirs: tuple[Uuid, ...], previous_broker_epoch: int, bound: dict[str, int] | None, now: Now
    ) -> int:
        """Register the broker of this node and let it lead; returns its epoch.

        `previous_broker_epoch` is what the clean-shutdown file said, -1 without one: then replicas in sync are only
        the last known ones (KIP-966).
        """
        self.broker_epoch = self.log.high_watermark
        records = registration_records(
            self, log_dirs=log_dirs, previous_broker_epoch=previous_broker_epoch, bound=bound or {}
        )
        self.commit(records, now)
        self.commit(unfencing_records(self), now)
        return self.broker_epoch

    @property
    def is_broker_registered(self) -> bool:
        """Whether the broker of this node is in the metadata under its epoch: it has started, and was not taken out."""
        broker = self.image.cluster.get(self.static_config.node_id)
        return broker is not None and broker.epoch == self.broker_epoch

    def stop_broker(self, now: Now) -> None:
        """Give up all leaderships, then fence: a controlled shutdown. One that was unregistered has nothing to give."""
        if not self.is_broker_registered:
            return
        self.commit(controlled_shutdown_records(self), now)
        self.commit(fencing_records(self), now)

    # -- services to other parts --------------------------------------------------------------------------------

    def allocate_producer_id(self, now: Now) -> ProducerId:
        """A producer id that was never given out before; ids come in blocks of 1000 (KIP-730).

        COORDINATOR_LOAD_IN_PROGRESS where there is none left, and no block for a broker that is not registered.
        """
        if not self._producer_ids:
            if not self.is_broker_registered:
                raise KafkaError(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, "this broker was unregistered")
            first = self.image.next_producer_id
            record = ProducerIdsRecord(
                broker_id=BrokerId(self.static_config.node_id),
                broker_epoch=self.broker_epoch,
                next_producer_id=ProducerId(first + PRODUCER_ID_BLOCK),
            )
            self.commit(((record, 0),), now)
            self._producer_ids = range(first, first + PRODUCER_ID_BLOCK)
        first, self._producer_ids = self._producer_ids[0], self._producer_ids[1:]
        return ProducerId(first)

    def log_settings(self, topic: str) -> dict[str, str]:
        """Every topic configuration of a topic, defaults filled in: what LogConfig.of takes."""
        return self.config.topic_settings(self.image.config(TOPIC, topic))

    def create_internal_topic(self, name: str, now: Now) -> None:
        """Make __consumer_offsets, __transaction_state or __share_group_state; KafkaError where it cannot be."""
        self.topics.create_one(self.topics.internal_topic(name), now)

    def create_topic_on_demand(self, name: str, now: Now) -> None:
        """Make a topic that a client asked metadata for; KafkaError where it cannot be."""
        self.topics.create_one(self.topics.topic_on_demand(name), now)

    # -- time ---------------------------------------------------------------------------------------------------

    def next_deadline_ms(self) -> int:
        """When `on_time` must be called next (monotonic)."""
        interval = self.static_config.number("metadata.max.idle.interval.ms")
        return self._last_append_ms + (interval or 60_000)

    def on_time(self, now: Now) -> None:
        """A NoOp record when the log was idle, a snapshot when one is due."""
        interval = self.static_config.number("metadata.max.idle.interval.ms")
        if interval and now.monotonic_ms - self._last_append_ms >= interval:
            self.commit(((NoOpRecord(), 0),), now, must_last=False)
        elif not interval and now.monotonic_ms >= self.next_deadline_ms():
            self._last_append_ms = now.monotonic_ms
        if self.log.is_snapshot_due(now.wall_ms):
            self.log.write_snapshot(tuple(self.image.records()), now.wall_ms)
        self.log.sweep(now.wall_ms)

    def close(self, now: Now) -> None:
        """Stop the broker in order and release the log."""
        if self.broker_epoch >= 0:
            self.stop_broker(now)
        self.log.close(now.wall_ms)
