"""AlterPartition: the leader of a partition asks for another ISR (KIP-497, KIP-704, KIP-841, KIP-903)."""

from __future__ import annotations

from reference_broker.controller.decision import Decision
from reference_broker.controller.heartbeat import check_broker_epoch
from reference_broker.controller.leadership import PartitionChanges
from reference_broker.controller.partition_change import RECOVERED, RECOVERING, Target
from reference_broker.metadata.brokers import BrokersImage
from reference_broker.metadata.image import MetadataImage
from reference_broker.metadata.topics import PartitionImage, TopicImage
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_partition_request import AlterPartitionRequest, BrokerState, PartitionData
from reference_broker.wire.messages.alter_partition_response import AlterPartitionResponse
from reference_broker.wire.messages.alter_partition_response import PartitionData as PartitionResult
from reference_broker.wire.messages.alter_partition_response import TopicData as TopicResult
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import BrokerId

EPOCHS_SINCE = 3
"""The request version that tells each replica's broker epoch (KIP-903)."""
ANY_EPOCH = -1


def decide_isr_changes(
    image: MetadataImage, config: BrokerConfig, request: AlterPartitionRequest, *, version: int
) -> Decision:
    """New ISRs, each for itself. STALE_BROKER_EPOCH for all where the broker's epoch is not the registered one."""
    check_broker_epoch(image, request.broker_id, request.broker_epoch)
    changes = PartitionChanges(image, config)
    records: list[VersionedRecord] = []
    topics = []
    for asked in request.topics:
        topic = image.topics.by_id.get(asked.topic_id)
        results = tuple(
            PartitionResult(partition_index=one.partition_index, error_code=ErrorCode.UNKNOWN_TOPIC_ID)
            if topic is None
            else _altered(changes, topic, one, request.broker_id, version, records)
            for one in asked.partitions
        )
        topics.append(TopicResult(topic_id=asked.topic_id, partitions=results))
    return Decision(tuple(records), AlterPartitionResponse(topics=tuple(topics)))


def _altered(
    changes: PartitionChanges,
    topic: TopicImage,
    asked: PartitionData,
    sender: int,
    version: int,
    records: list[VersionedRecord],
) -> PartitionResult:
    partition = topic.partitions.get(asked.partition_index)
    wanted = asked.new_isr_with_epochs
    if version < EPOCHS_SINCE:
        wanted = tuple(BrokerState(broker_id=one, broker_epoch=ANY_EPOCH) for one in asked.new_isr)
    code = _reason_refused(changes.image.cluster, partition, asked, wanted, sender)
    if partition is None or code is not ErrorCode.NONE:
        return PartitionResult(partition_index=asked.partition_index, error_code=code)
    target = Target(
        isr=tuple(one.broker_id for one in wanted),
        recovery_state=asked.leader_recovery_state,
        election=changes.election(topic),
    )
    record = changes.change(topic, partition, target)
    after = partition
    if record is not None:
        records.append(record)
        after = partition.changed_by(record[0])
    if after.leader != sender:
        # The new ISR has completed a reassignment that takes the leadership away from the sender.
        return PartitionResult(partition_index=partition.index, error_code=ErrorCode.NEW_LEADER_ELECTED)
    return PartitionResult(
        partition_index=partition.index,
        leader_id=BrokerId(after.leader),
        leader_epoch=after.leader_epoch,
        isr=tuple(map(BrokerId, after.isr)),
        leader_recovery_state=after.leader_recovery_state,
        partition_epoch=after.partition_epoch,
    )


def _reason_refused(
    cluster: BrokersImage,
    partition: PartitionImage | None,
    asked: PartitionData,
    wanted: tuple[BrokerState, ...],
    sender: int,
) -> ErrorCode:
    """NONE where the change may be made. Newer epochs than known here mean that another controller is active."""
    if partition is None:
        return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    if asked.leader_epoch > partition.leader_epoch or asked.partition_epoch > partition.partition_epoch:
        return ErrorCode.NOT_CONTROLLER
    if asked.leader_epoch < partition.leader_epoch:
        return ErrorCode.FENCED_LEADER_EPOCH
    if sender != partition.leader:
        return ErrorCode.INVALID_REQUEST
    if asked.partition_epoch < partition.partition_epoch:
        return ErrorCode.INVALID_UPDATE_VERSION
    isr = [one.broker_id for one in wanted]
    is_of_replicas = len(dict.fromkeys(isr)) == len(isr) and all(one in partition.replicas for one in isr)
    if not is_of_replicas or partition.leader not in isr:
        return ErrorCode.INVALID_REQUEST
    if asked.leader_recovery_state not in (RECOVERED, RECOVERING):
        return ErrorCode.INVALID_REQUEST
    if asked.leader_recovery_state == RECOVERING and (len(isr) > 1 or partition.leader_recovery_state == RECOVERED):
        return ErrorCode.INVALID_REQUEST
    if not all(_may_be_in_sync(cluster, one) for one in wanted):
        return ErrorCode.INELIGIBLE_REPLICA
    return ErrorCode.NONE


def _may_be_in_sync(cluster: BrokersImage, replica: BrokerState) -> bool:
    """Whether a broker is alive, stays, and is the very one that the leader has seen fetching."""
    broker = cluster.get(replica.broker_id)
    if broker is None or not broker.is_active:
        return False
    return replica.broker_epoch in (ANY_EPOCH, broker.epoch)
