"""The broker beside a controller in memory: it does by deciders, at once, what a broker asks for by messages."""

from __future__ import annotations

from collections.abc import Iterable

from reference_broker.broker.registration import registration_request
from reference_broker.controller.controller import Controller
from reference_broker.controller.decision import random_uuid
from reference_broker.controller.heartbeat import (
    controlled_shutdown,
    cordoned_directories,
    fencing,
    unfencing,
)
from reference_broker.controller.leadership import Located, PartitionChanges
from reference_broker.controller.partition_change import Target
from reference_broker.controller.registration import decide_registration
from reference_broker.controller.sessions import BrokerSessions
from reference_broker.environment import Now
from reference_broker.metadata.brokers import BrokerImage
from reference_broker.metadata.image import CORDONED_SINCE, MetadataImage
from reference_broker.replication.folder_news import FolderNews
from reference_broker.wire.messages.broker_registration_change_record import BrokerRegistrationChangeRecord
from reference_broker.wire.messages.broker_registration_request import BrokerRegistrationRequest
from reference_broker.wire.primitives import BrokerId, Uuid


class OwnBroker:
    """`epoch` is -1 before `start`."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._node_id = controller.static_config.node_id
        self._incarnation_id = random_uuid(controller.random)
        self.epoch = -1

    @property
    def _broker(self) -> BrokerImage:
        return self._controller.pending.brokers[self._node_id]

    @property
    def _changes(self) -> PartitionChanges:
        return PartitionChanges(self._controller.pending, self._controller.config)

    @property
    def is_registered(self) -> bool:
        """Whether it is in the metadata under its epoch."""
        broker = self._controller.image.cluster.get(self._node_id)
        return broker is not None and broker.epoch == self.epoch

    def start(self, *, log_dirs: tuple[Uuid, ...], previous_broker_epoch: int, now: Now) -> int:
        """Register, be unfenced and lead; its epoch."""
        controller = self._controller
        self.epoch = controller.log.end_offset
        decision = decide_registration(
            controller.pending,
            controller.config,
            registration_request(
                controller.static_config,
                bound={},
                cluster_id=controller.pending.cluster_id,
                incarnation_id=self._incarnation_id,
                log_dirs=log_dirs,
                previous_broker_epoch=previous_broker_epoch,
            ),
            version=BrokerRegistrationRequest.VALID[1],
            kraft_version=controller.log.kraft_version,
            sessions=BrokerSessions(timeout_ms=0),  # a controller that has just started has heard nobody
            next_offset=self.epoch,
            now=Now(0, 0),
        )
        controller.commit(decision.records, now)
        records = unfencing(self._changes, self._broker)
        if controller.pending.metadata_version >= CORDONED_SINCE:
            records += cordoned_directories(self._broker, ())
        controller.commit(tuple(records), now)
        return self.epoch

    def stop(self, now: Now) -> None:
        """Give up all leaderships, then be fenced; one that was unregistered has nothing to give."""
        if self.is_registered:
            self._controller.commit(tuple(controlled_shutdown(self._changes, self._broker)), now)
            self._controller.commit(tuple(fencing(self._changes, self._broker)), now)

    def report_folders(self, news: FolderNews, now: Now) -> bool:
        """What it tells of its folders; False before it is registered."""
        if self.epoch < 0:
            return False
        if not self.is_registered:
            return True
        assigned = [
            self._changes.change(topic, partition, Target(directories={self._node_id: directory_id}))
            for where, directory_id in news.placed.items()
            for topic, partition in self._replicas([where])
        ]
        if records := [one for one in assigned if one is not None]:
            self._controller.commit(tuple(records), now)
        if news.has_failed:
            self._lose(news, now)
        return True

    def _lose(self, news: FolderNews, now: Now) -> None:
        records = self._changes.without(self._node_id, self._replicas(news.lost))
        if tuple(sorted(self._broker.log_dirs)) != tuple(sorted(news.online)):
            change = BrokerRegistrationChangeRecord(
                broker_id=BrokerId(self._node_id), broker_epoch=self.epoch, log_dirs=news.online
            )
            records.append((change, 2))
        if records:
            self._controller.commit(tuple(records), now)

    def _replicas(self, wanted: Iterable[tuple[Uuid, int]]) -> list[Located]:
        image: MetadataImage = self._controller.pending
        found = []
        for topic_id, index in wanted:
            topic = image.topics.by_id.get(topic_id)
            partition = topic.partitions.get(index) if topic is not None else None
            if topic is not None and partition is not None and self._node_id in partition.replicas:
                found.append((topic, partition))
        return found
