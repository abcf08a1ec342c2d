"""Reassignments: a partition moves to other replicas, step by step, or stays where it was after all.

The new replicas are added first and the old ones removed once the new are in sync; `partition_change` does that.
Source: KIP-455, KIP-860 (replication factor).
"""

from __future__ import annotations

from reference_broker.controller.decision import Decision, Refusal
from reference_broker.controller.leadership import PartitionChanges
from reference_broker.controller.partition_change import Target
from reference_broker.controller.placement import check_manual
from reference_broker.metadata.image import MetadataImage
from reference_broker.metadata.topics import PartitionImage, TopicImage
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_partition_reassignments_request import (
    AlterPartitionReassignmentsRequest,
    ReassignablePartition,
)
from reference_broker.wire.messages.alter_partition_reassignments_response import (
    AlterPartitionReassignmentsResponse,
    ReassignablePartitionResponse,
    ReassignableTopicResponse,
)
from reference_broker.wire.messages.list_partition_reassignments_request import ListPartitionReassignmentsRequest
from reference_broker.wire.messages.list_partition_reassignments_response import (
    ListPartitionReassignmentsResponse,
    OngoingPartitionReassignment,
    OngoingTopicReassignment,
)
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import BrokerId, TopicName
from reference_broker.wire.refusal import KafkaError


def decide_reassignments(
    image: MetadataImage, config: BrokerConfig, request: AlterPartitionReassignmentsRequest
) -> Decision:
    """AlterPartitionReassignments: each partition for itself; null replicas cancel."""
    if not request.topics:
        return Decision((), AlterPartitionReassignmentsResponse())
    changes = PartitionChanges(image, config)
    records: list[VersionedRecord] = []
    responses = []
    for topic in request.topics:
        results = []
        for asked in topic.partitions:
            refusal = None
            try:
                record = _reassigned(changes, topic.name, asked, request.allow_replication_factor_change)
            except KafkaError as error:
                refusal = Refusal.of(error)
            else:
                records += [] if record is None else [record]
            results.append(
                ReassignablePartitionResponse(
                    partition_index=asked.partition_index,
                    error_code=refusal.code if refusal else ErrorCode.NONE,
                    error_message=refusal.text if refusal else None,
                )
            )
        responses.append(ReassignableTopicResponse(name=topic.name, partitions=tuple(results)))
    response = AlterPartitionReassignmentsResponse(
        allow_replication_factor_change=request.allow_replication_factor_change,
        error_message=None,
        responses=tuple(responses),
    )
    return Decision.of_a_client(records, response)


def _reassigned(
    changes: PartitionChanges, name: str, asked: ReassignablePartition, may_change_factor: bool
) -> VersionedRecord | None:
    topic = changes.image.topics.get(name)
    if topic is None:
        raise KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"Unable to find a topic named {name}.")
    partition = topic.partitions.get(asked.partition_index)
    if partition is None:
        text = f"Unable to find partition {name}:{asked.partition_index}."
        raise KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, text)
    if asked.replicas is None:
        return _cancelled(changes, topic, partition)
    check_manual(changes.image.cluster, asked.replicas, None)
    if not may_change_factor:
        _check_factor(partition, len(asked.replicas))
    return _begun(changes, topic, partition, tuple(asked.replicas))


def _check_factor(partition: PartitionImage, wanted: int) -> None:
    current = len([one for one in partition.replicas if one not in partition.removing_replicas])
    if current != wanted:
        text = f"The replication factor is changed from {current} to {wanted}"
        raise KafkaError(ErrorCode.INVALID_REPLICATION_FACTOR, text)


def _begun(
    changes: PartitionChanges, topic: TopicImage, partition: PartitionImage, wanted: tuple[int, ...]
) -> VersionedRecord | None:
    """Towards `wanted`: at once where no replica has to be awaited. It takes the place of one in progress."""
    removing = tuple(sorted(one for one in partition.replicas if one not in wanted))
    new = tuple(sorted(one for one in wanted if one not in partition.replicas))
    # Without new replicas, those that an earlier reassignment was adding are still awaited, as far as they stay.
    adding = new or tuple(one for one in partition.adding_replicas if one in wanted)
    target = Target(replicas=(*wanted, *removing), removing=removing, adding=adding)
    return changes.change(topic, partition, target)


def _cancelled(changes: PartitionChanges, topic: TopicImage, partition: PartitionImage) -> VersionedRecord | None:
    """Back to the replicas before the reassignment."""
    if not is_reassigning(partition):
        raise KafkaError(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS)
    replicas = tuple(one for one in partition.replicas if one not in partition.adding_replicas)
    isr = tuple(one for one in partition.isr if one not in partition.adding_replicas)
    if not replicas:
        text = "Invalid replica assignment: addingReplicas contains all replicas."
        raise KafkaError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, text)
    if not isr and not changes.allows_unclean_elections(topic):
        raise KafkaError(
            ErrorCode.INVALID_REPLICA_ASSIGNMENT,
            f"Unable to revert partition assignment for {topic.name}:{partition.index} because it would require an "
            "unclean leader election.",
        )
    target = Target(
        isr=isr or replicas[:1], replicas=replicas, removing=(), adding=(), election=changes.election(topic)
    )
    return changes.change(topic, partition, target)


def is_reassigning(partition: PartitionImage) -> bool:
    """Whether a reassignment of a partition is in progress."""
    return bool(partition.adding_replicas or partition.removing_replicas)


def reassignments(
    image: MetadataImage, request: ListPartitionReassignmentsRequest
) -> ListPartitionReassignmentsResponse:
    """ListPartitionReassignments: those in progress, of the named partitions or of all (null)."""
    if request.topics is None:
        asked = [(topic.name, tuple(topic.partitions)) for topic in image.topics]
    else:
        asked = [(one.name, one.partition_indexes) for one in request.topics]
    topics = []
    for name, indexes in asked:
        topic = image.topics.get(name)
        partitions = [] if topic is None else [topic.partitions.get(index) for index in indexes]
        ongoing = tuple(_ongoing(one) for one in partitions if one is not None and is_reassigning(one))
        if ongoing:
            topics.append(OngoingTopicReassignment(name=TopicName(name), partitions=ongoing))
    return ListPartitionReassignmentsResponse(error_message=None, topics=tuple(topics))


def _ongoing(partition: PartitionImage) -> OngoingPartitionReassignment:
    return OngoingPartitionReassignment(
        partition_index=partition.index,
        replicas=tuple(map(BrokerId, partition.replicas)),
        adding_replicas=tuple(map(BrokerId, partition.adding_replicas)),
        removing_replicas=tuple(map(BrokerId, partition.removing_replicas)),
    )
