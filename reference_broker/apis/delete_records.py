"""DeleteRecords: let partitions start later than they do.

**Promises** Records below the answered low watermark are not served again, nor after a restart. -1 stands for the high
watermark. Nothing comes back: an offset below the log's start changes nothing.
**Refuses** Per partition: UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR;
INVALID_TOPIC_EXCEPTION: an internal topic; POLICY_VIOLATION: the topic is compacted and not deleted from;
OFFSET_OUT_OF_RANGE: below -1, or above the high watermark.
**Versions** 2 is flexible.
**Departs from Kafka** Nothing waits for the timeout: there is one replica of all.
"""

from __future__ import annotations

from typing import Final

from reference_broker.apis.context import BrokerContext
from reference_broker.metadata.topics import INTERNAL_TOPICS
from reference_broker.releases.behaviours import Behaviour
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.delete_records_request import DeleteRecordsPartition, DeleteRecordsRequest
from reference_broker.wire.messages.delete_records_response import (
    DeleteRecordsPartitionResult,
    DeleteRecordsResponse,
    DeleteRecordsTopicResult,
)
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.refusal import KafkaError

API: Final = ApiKey.DELETE_RECORDS
VERSIONS: Final = range(3)
LISTENERS: Final = ("broker",)

REFUSAL_VALUES: Final = {"low_watermark": -1}


def handle(request: DeleteRecordsRequest, ctx: BrokerContext) -> DeleteRecordsResponse:
    """Raise the log's start of each partition; of one that is named twice, what was named last counts."""
    topics: dict[TopicName, dict[int, DeleteRecordsPartition]] = {}
    for topic in request.topics:
        for one in topic.partitions:
            topics.setdefault(topic.name, {})[one.partition_index] = one
    return DeleteRecordsResponse(
        topics=tuple(
            DeleteRecordsTopicResult(name=name, partitions=tuple(_deleted(name, one, ctx) for one in asked.values()))
            for name, asked in topics.items()
        )
    )


def _refused(index: int, code: ErrorCode) -> DeleteRecordsPartitionResult:
    return DeleteRecordsPartitionResult(partition_index=index, low_watermark=-1, error_code=code)


def _deleted(topic: str, asked: DeleteRecordsPartition, ctx: BrokerContext) -> DeleteRecordsPartitionResult:
    index = asked.partition_index
    try:
        if topic in INTERNAL_TOPICS and ctx.image.partition(topic, index) is not None:
            raise KafkaError(ErrorCode.INVALID_TOPIC_EXCEPTION, "records of an internal topic stay")
        needs_policy = not ctx.release.does(Behaviour.KIP_1161_NO_CLEANUP_POLICY)
        low_watermark = ctx.partitions.get(topic, index).delete_records(asked.offset, needs_policy=needs_policy)
    except KafkaError as error:
        return _refused(index, error.code)
    return DeleteRecordsPartitionResult(partition_index=index, low_watermark=low_watermark)
