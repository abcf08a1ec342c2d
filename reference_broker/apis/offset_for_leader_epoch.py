"""OffsetForLeaderEpoch: where a leader epoch ended, so that a reader finds out whether its log was cut (KIP-320).

**Promises** The largest leader epoch not above the one asked for, and the offset behind its last record; -1 and -1 for
an epoch that is later than all, or unknown.
**Refuses** Per partition: UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR;
FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH: the leader epoch that the client knows is not the current one.
**Versions** 3 the replica's id; 4 is flexible.
**Departs from Kafka** Nothing is known.
"""

from __future__ import annotations

from typing import Final

from reference_broker.apis.context import BrokerContext
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.offset_for_leader_epoch_request import (
    OffsetForLeaderEpochRequest,
    OffsetForLeaderPartition,
)
from reference_broker.wire.messages.offset_for_leader_epoch_response import (
    EpochEndOffset,
    OffsetForLeaderEpochResponse,
    OffsetForLeaderTopicResult,
)
from reference_broker.wire.refusal import KafkaError

API: Final = ApiKey.OFFSET_FOR_LEADER_EPOCH
VERSIONS: Final = range(2, 5)
LISTENERS: Final = ("broker",)


def handle(request: OffsetForLeaderEpochRequest, ctx: BrokerContext) -> OffsetForLeaderEpochResponse:
    """Look up each partition."""
    return OffsetForLeaderEpochResponse(
        topics=tuple(
            OffsetForLeaderTopicResult(
                topic=topic.topic, partitions=tuple(_end(topic.topic, one, ctx) for one in topic.partitions)
            )
            for topic in request.topics
        )
    )


def _end(topic: str, asked: OffsetForLeaderPartition, ctx: BrokerContext) -> EpochEndOffset:
    try:
        partition = ctx.partitions.get(topic, asked.partition)
        epoch, end = partition.end_of_epoch(asked.current_leader_epoch, asked.leader_epoch)
    except KafkaError as error:
        return EpochEndOffset(partition=asked.partition, error_code=error.code)
    return EpochEndOffset(partition=asked.partition, leader_epoch=epoch, end_offset=end)
