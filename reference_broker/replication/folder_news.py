"""What a broker tells the controller of its log folders: where it put a replica, and which folder has failed.

The records are those that a 4.3.1 controller writes on AssignReplicasToDirs and on a heartbeat with offline folders.
Source: KIP-858.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from reference_broker.metadata.topics import NO_LEADER
from reference_broker.wire.messages.broker_registration_change_record import BrokerRegistrationChangeRecord
from reference_broker.wire.messages.partition_change_record import PartitionChangeRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import BrokerId, Uuid

if TYPE_CHECKING:
    from reference_broker.controller.controller import Controller

TopicIdPartition = tuple[Uuid, int]


def assignment_records(controller: Controller, placed: Mapping[TopicIdPartition, Uuid]) -> tuple[VersionedRecord, ...]:
    """For replicas that this broker put into a folder that the metadata does not name."""
    node_id = controller.static_config.node_id
    records: list[VersionedRecord] = []
    for (topic_id, index), directory_id in placed.items():
        topic = controller.image.topics.by_id.get(topic_id)
        partition = topic.partitions.get(index) if topic else None
        if partition is None or node_id not in partition.replicas:
            continue
        at = partition.replicas.index(node_id)
        known = partition.directories or tuple(Uuid(bytes(16)) for _ in partition.replicas)
        if known[at] != directory_id:
            directories = (*known[:at], directory_id, *known[at + 1 :])
            message = PartitionChangeRecord(partition_id=index, topic_id=topic_id, directories=directories)
            records.append(_versioned(controller, message))
    return tuple(records)


def failure_records(
    controller: Controller, online: tuple[Uuid, ...], lost: Iterable[TopicIdPartition]
) -> tuple[VersionedRecord, ...]:
    """For partitions in a folder that failed: this broker leads them no longer, and leaves their ISR."""
    node_id, has_elr = controller.static_config.node_id, controller.image.has_elr
    records: list[VersionedRecord] = []
    broker = controller.image.cluster.get(node_id)
    if broker is not None and tuple(sorted(broker.log_dirs)) != tuple(sorted(online)):
        change = BrokerRegistrationChangeRecord(
            broker_id=BrokerId(node_id), broker_epoch=controller.broker_epoch, log_dirs=online
        )
        records.append((change, 2))
    for topic_id, index in lost:
        topic = controller.image.topics.by_id.get(topic_id)
        partition = topic.partitions.get(index) if topic else None
        if partition is None or partition.leader != node_id:
            continue
        remaining = tuple(one for one in partition.isr if one != node_id)
        message = PartitionChangeRecord(
            partition_id=index,
            topic_id=topic_id,
            leader=BrokerId(NO_LEADER),
            isr=tuple(map(BrokerId, remaining)) if has_elr else None,
            eligible_leader_replicas=(BrokerId(node_id),) if has_elr else None,
            last_known_elr=(BrokerId(node_id),) if has_elr else None,
        )
        records.append(_versioned(controller, message))
    return tuple(records)


def _versioned(controller: Controller, message: PartitionChangeRecord) -> VersionedRecord:
    return message, controller.image.partition_version
