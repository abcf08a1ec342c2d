"""What a broker tells the controller of its log folders: where it put a replica, and which folder has failed.

The records are those that a controller writes on AssignReplicasToDirs and on a heartbeat with offline folders.
Source: KIP-858.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from reference_broker.controller.leadership import PartitionChanges
from reference_broker.controller.partition_change import Target
from reference_broker.metadata.topics import PartitionImage, TopicImage
from reference_broker.wire.messages.broker_registration_change_record import BrokerRegistrationChangeRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import BrokerId, Uuid

if TYPE_CHECKING:
    from reference_broker.controller.controller import Controller

TopicIdPartition = tuple[Uuid, int]


def assignment_records(controller: Controller, placed: Mapping[TopicIdPartition, Uuid]) -> tuple[VersionedRecord, ...]:
    """For replicas that this broker put into a folder that the metadata does not name."""
    node_id = controller.static_config.node_id
    changes = PartitionChanges(controller.image, controller.config)
    records = []
    for where, directory_id in placed.items():
        for topic, partition in _replicas(controller, [where]):
            records.append(changes.change(topic, partition, Target(directories={node_id: directory_id})))
    return tuple(one for one in records if one is not None)


def failure_records(
    controller: Controller, online: tuple[Uuid, ...], lost: Iterable[TopicIdPartition]
) -> tuple[VersionedRecord, ...]:
    """For partitions in a folder that failed: this broker leads them no longer, and leaves their ISR."""
    node_id = controller.static_config.node_id
    changes = PartitionChanges(controller.image, controller.config)
    records = changes.without(node_id, _replicas(controller, lost))
    broker = controller.image.cluster.get(node_id)
    if broker is not None and tuple(sorted(broker.log_dirs)) != tuple(sorted(online)):
        change = BrokerRegistrationChangeRecord(
            broker_id=BrokerId(node_id), broker_epoch=controller.broker_epoch, log_dirs=online
        )
        records.append((change, 2))
    return tuple(records)


def _replicas(controller: Controller, wanted: Iterable[TopicIdPartition]) -> list[tuple[TopicImage, PartitionImage]]:
    """Those partitions that are there and have a replica on this broker."""
    found = []
    for topic_id, index in wanted:
        topic = controller.image.topics.by_id.get(topic_id)
        partition = topic.partitions.get(index) if topic is not None else None
        if topic is not None and partition is not None and controller.static_config.node_id in partition.replicas:
            found.append((topic, partition))
    return found
