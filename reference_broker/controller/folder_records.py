"""The records of what the own broker tells of its log folders: where it put a replica, and which folder has failed.

They are those that a controller writes on AssignReplicasToDirs and on a heartbeat with offline folders.
Source: KIP-858.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reference_broker.configs import BrokerConfig
from reference_broker.controller.leadership import Located, PartitionChanges
from reference_broker.controller.partition_change import Target
from reference_broker.metadata.image import MetadataImage
from reference_broker.wire.messages.broker_registration_change_record import BrokerRegistrationChangeRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import BrokerId, Uuid

TopicIdPartition = tuple[Uuid, int]


def assignment_records(
    image: MetadataImage, config: BrokerConfig, placed: Mapping[TopicIdPartition, Uuid]
) -> tuple[VersionedRecord, ...]:
    """For replicas that this broker put into a folder that the metadata does not name."""
    changes = PartitionChanges(image, config)
    records = []
    for where, directory_id in placed.items():
        for topic, partition in _replicas(image, config.node_id, [where]):
            records.append(changes.change(topic, partition, Target(directories={config.node_id: directory_id})))
    return tuple(one for one in records if one is not None)


def failure_records(
    image: MetadataImage, config: BrokerConfig, online: tuple[Uuid, ...], lost: Iterable[TopicIdPartition]
) -> tuple[VersionedRecord, ...]:
    """For partitions in a folder that failed: this broker leads them no longer, and leaves their ISR."""
    node_id = config.node_id
    records = PartitionChanges(image, config).without(node_id, _replicas(image, node_id, lost))
    broker = image.cluster.get(node_id)
    if broker is not None and tuple(sorted(broker.log_dirs)) != tuple(sorted(online)):
        change = BrokerRegistrationChangeRecord(broker_id=BrokerId(node_id), broker_epoch=broker.epoch, log_dirs=online)
        records.append((change, 2))
    return tuple(records)


def _replicas(image: MetadataImage, node_id: int, wanted: Iterable[TopicIdPartition]) -> list[Located]:
    """Those partitions that are there and have a replica on this broker."""
    found = []
    for topic_id, index in wanted:
        topic = image.topics.by_id.get(topic_id)
        partition = topic.partitions.get(index) if topic is not None else None
        if topic is not None and partition is not None and node_id in partition.replicas:
            found.append((topic, partition))
    return found
