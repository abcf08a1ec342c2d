"""AssignReplicasToDirs: a broker says into which of its folders it has put replicas (KIP-858)."""

from __future__ import annotations

from reference_broker.controller.decision import Decision
from reference_broker.controller.heartbeat import check_broker_epoch
from reference_broker.controller.leadership import Located, PartitionChanges
from reference_broker.controller.partition_change import Target
from reference_broker.metadata.brokers import BrokerImage
from reference_broker.metadata.image import DIRECTORIES_SINCE, MetadataImage
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.assign_replicas_to_dirs_request import AssignReplicasToDirsRequest, TopicData
from reference_broker.wire.messages.assign_replicas_to_dirs_response import AssignReplicasToDirsResponse
from reference_broker.wire.messages.assign_replicas_to_dirs_response import DirectoryData as DirectoryResult
from reference_broker.wire.messages.assign_replicas_to_dirs_response import PartitionData as PartitionResult
from reference_broker.wire.messages.assign_replicas_to_dirs_response import TopicData as TopicResult
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.refusal import KafkaError


def decide_assignments(image: MetadataImage, config: BrokerConfig, request: AssignReplicasToDirsRequest) -> Decision:
    """The metadata names the folders; a replica in a folder that is not online leaves the ISR."""
    if image.metadata_version < DIRECTORIES_SINCE:
        raise KafkaError(ErrorCode.UNSUPPORTED_VERSION, "Directory assignment is not supported yet.")
    broker = check_broker_epoch(image, request.broker_id, request.broker_epoch)
    changes = PartitionChanges(image, config)
    records: list[VersionedRecord] = []
    lost: list[Located] = []
    directories = tuple(
        DirectoryResult(
            id=one.id,
            topics=tuple(_assigned(changes, broker, one.id, topic, records, lost) for topic in one.topics),
        )
        for one in request.directories
    )
    records += changes.without(broker.id, lost)
    return Decision(tuple(records), AssignReplicasToDirsResponse(directories=directories))


def _assigned(
    changes: PartitionChanges,
    broker: BrokerImage,
    directory_id: Uuid,
    asked: TopicData,
    records: list[VersionedRecord],
    lost: list[Located],
) -> TopicResult:
    topic = changes.image.topics.by_id.get(asked.topic_id)
    results = []
    for index in [one.partition_index for one in asked.partitions]:
        partition = None if topic is None else topic.partitions.get(index)
        code = ErrorCode.NONE
        if topic is None:
            code = ErrorCode.UNKNOWN_TOPIC_ID
        elif partition is None:
            code = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        elif broker.id not in partition.replicas:
            code = ErrorCode.NOT_LEADER_OR_FOLLOWER
        else:
            record = changes.change(topic, partition, Target(directories={broker.id: directory_id}))
            records += [] if record is None else [record]
            if not broker.has_online(directory_id):
                lost.append((topic, partition))
        results.append(PartitionResult(partition_index=index, error_code=code))
    return TopicResult(topic_id=asked.topic_id, partitions=tuple(results))
