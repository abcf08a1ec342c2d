"""DescribeProducers: the idempotent producers that a partition's log remembers.

**Promises** Of each producer its id, epoch, last sequence and timestamp, the epoch of its coordinator, and where its
open transaction began.
**Refuses** Per partition: INVALID_TOPIC_EXCEPTION: the name cannot be; UNKNOWN_TOPIC_OR_PARTITION,
NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR.
**Versions** There is one.
**Departs from Kafka** Producers are told in the order of their ids, where Kafka has none.
"""

from __future__ import annotations

from typing import Final

from reference_broker.apis.context import BrokerContext
from reference_broker.controller.decision import STANDARD_TEXTS
from reference_broker.metadata.topic_names import reason_invalid
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_producers_request import DescribeProducersRequest
from reference_broker.wire.messages.describe_producers_response import (
    DescribeProducersResponse,
    PartitionResponse,
    ProducerState,
    TopicResponse,
)
from reference_broker.wire.primitives import ProducerId
from reference_broker.wire.refusal import KafkaError

API: Final = ApiKey.DESCRIBE_PRODUCERS
VERSIONS: Final = range(1)
LISTENERS: Final = ("broker",)


def handle(request: DescribeProducersRequest, ctx: BrokerContext) -> DescribeProducersResponse:
    """Look at each partition's log."""
    return DescribeProducersResponse(
        topics=tuple(
            TopicResponse(
                name=topic.name,
                partitions=tuple(_described(topic.name, index, ctx) for index in topic.partition_indexes),
            )
            for topic in request.topics
        )
    )


def _described(topic: str, index: int, ctx: BrokerContext) -> PartitionResponse:
    if reason := reason_invalid(topic):
        return PartitionResponse(
            partition_index=index, error_code=ErrorCode.INVALID_TOPIC_EXCEPTION, error_message=reason
        )
    if topic not in ctx.image.topics:
        code = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        return PartitionResponse(partition_index=index, error_code=code, error_message=STANDARD_TEXTS[code])
    try:
        log = ctx.partitions.get(topic, index).log
    except KafkaError as error:
        return PartitionResponse(partition_index=index, error_code=error.code)
    return PartitionResponse(
        partition_index=index,
        active_producers=tuple(
            ProducerState(
                producer_id=ProducerId(one.producer_id),
                producer_epoch=one.epoch,
                last_sequence=one.last_sequence,
                last_timestamp=one.last_timestamp,
                coordinator_epoch=one.coordinator_epoch,
                current_txn_start_offset=one.first_offset_of_transaction,
            )
            for one in log.active_producers()
        ),
    )
