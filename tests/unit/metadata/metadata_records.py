"""Metadata records for tests, and the image that they make."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reference_broker.metadata.delta import MetadataDelta
from reference_broker.metadata.image import TOPIC, MetadataImage
from reference_broker.metadata.snapshot_replay import SnapshotReplay
from reference_broker.wire.messages.config_record import ConfigRecord
from reference_broker.wire.messages.partition_change_record import PartitionChangeRecord
from reference_broker.wire.messages.partition_record import PartitionRecord
from reference_broker.wire.messages.register_broker_record import RegisterBrokerRecord
from reference_broker.wire.messages.remove_topic_record import RemoveTopicRecord
from reference_broker.wire.messages.topic_record import TopicRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import BrokerId, TopicName, Uuid

EMPTY = MetadataImage(cluster_id="C")


def topic_id(name: str) -> Uuid:
    """The id of a topic of this name."""
    return Uuid(name.encode().ljust(16, b"."))


def topic(name: str) -> VersionedRecord:
    """A topic without partitions."""
    return TopicRecord(name=TopicName(name), topic_id=topic_id(name)), 0


def renamed(name: str, of_id: str) -> VersionedRecord:
    """A topic of this name with the id of another."""
    return TopicRecord(name=TopicName(name), topic_id=topic_id(of_id)), 0


def removed(name: str) -> VersionedRecord:
    """A topic goes."""
    return RemoveTopicRecord(topic_id=topic_id(name)), 0


def partition(name: str, index: int = 0, leader: int = 1) -> VersionedRecord:
    """A partition on broker 1."""
    replicas = (BrokerId(1),)
    message = PartitionRecord(
        partition_id=index, topic_id=topic_id(name), replicas=replicas, isr=replicas, leader=BrokerId(leader)
    )
    return message, 1


def led_by(name: str, leader: int, index: int = 0) -> VersionedRecord:
    """A change of a partition's leader."""
    return PartitionChangeRecord(partition_id=index, topic_id=topic_id(name), leader=BrokerId(leader)), 1


def setting(name: str, value: str | None, resource: str = "t", resource_type: int = TOPIC) -> VersionedRecord:
    """A setting of a resource."""
    return ConfigRecord(resource_type=resource_type, resource_name=resource, name=name, value=value), 0


def broker(broker_id: int) -> VersionedRecord:
    """A broker, fenced."""
    return RegisterBrokerRecord(broker_id=BrokerId(broker_id), broker_epoch=broker_id * 100, fenced=True), 1


def replayed(*records: VersionedRecord, over: MetadataImage = EMPTY) -> MetadataDelta:
    """The delta of one batch."""
    return MetadataDelta.of(over, records, over.offset + len(records), 1)


def to_snapshot(before: MetadataImage, records: Iterable[VersionedRecord], *, slices: int = 1) -> MetadataDelta:
    """The delta to what a snapshot's records make; that takes so many slices at least."""
    replay = SnapshotReplay(before, records, offset=50, epoch=3)
    count = 1
    while not replay.go_on(1000 if slices == 1 else 2):
        count += 1
    assert count >= slices
    return replay.delta


def image_of(*records: VersionedRecord) -> MetadataImage:
    """The image that records make."""
    return replayed(*records).after


def names(topics: Any) -> list[str]:
    """The names of topics, in order."""
    return [one.name for one in topics]
