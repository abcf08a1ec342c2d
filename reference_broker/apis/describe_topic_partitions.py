"""DescribeTopicPartitions: partitions of topics by name, page by page, with eligible leader replicas (KIP-966).

**Promises** Topics in order of name, at most max.request.partition.size.limit or the asked number of partitions, and a
cursor where more follow.
**Refuses** INVALID_REQUEST: the cursor's topic is not among those asked for, or its partition is negative. Per topic:
UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION, where it was named. For all topics: UNKNOWN_SERVER_ERROR: one of
them has an empty name, and there is no cursor.
**Versions** 0 only.
**Departs from Kafka** Nothing known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from reference_broker.apis.context import BrokerContext
from reference_broker.apis.metadata import offline_replicas, reachable_brokers
from reference_broker.apis.operations import TOPIC_OPERATIONS
from reference_broker.metadata.brokers import BrokerImage
from reference_broker.metadata.topic_names import reason_invalid
from reference_broker.metadata.topics import INTERNAL_TOPICS, NO_LEADER, PartitionImage, TopicImage
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_topic_partitions_request import DescribeTopicPartitionsRequest
from reference_broker.wire.messages.describe_topic_partitions_response import (
    Cursor,
    DescribeTopicPartitionsResponse,
    DescribeTopicPartitionsResponsePartition,
    DescribeTopicPartitionsResponseTopic,
)
from reference_broker.wire.primitives import BrokerId, TopicName
from reference_broker.wire.refusal import KafkaError

API: Final = ApiKey.DESCRIBE_TOPIC_PARTITIONS
VERSIONS: Final = range(1)
LISTENERS: Final = ("broker",)


def handle(request: DescribeTopicPartitionsRequest, ctx: BrokerContext) -> DescribeTopicPartitionsResponse:
    """One page."""
    cursor = request.cursor
    first = cursor.topic_name if cursor is not None else ""
    is_all = not request.topics
    asked = list(ctx.image.topics.by_name) if is_all else [topic.name for topic in request.topics]
    names = sorted(name for name in dict.fromkeys(asked) if name >= first)
    if cursor is not None and not is_all and cursor.topic_name not in names:
        raise KafkaError(
            ErrorCode.INVALID_REQUEST,
            "DescribeTopicPartitionsRequest topic list should contain the cursor topic: " + cursor.topic_name,
        )
    if cursor is not None and cursor.partition_index < 0:
        raise KafkaError(
            ErrorCode.INVALID_REQUEST,
            "DescribeTopicPartitionsRequest cursor partition must be valid: "
            f"Cursor(topicName='{cursor.topic_name}', partitionIndex={cursor.partition_index})",
        )
    most = ctx.config.number("max.request.partition.size.limit")
    remaining = max(min(most, request.response_partition_limit), 1)
    topics: list[DescribeTopicPartitionsResponseTopic] = []
    next_cursor = None
    for name in names:
        if remaining == 0:
            next_cursor = Cursor(topic_name=TopicName(name), partition_index=0)
            break
        topic = ctx.image.topics.get(name)
        if topic is None:
            if not is_all:
                topics.append(_missing(name, has_cursor=cursor is not None))
            continue
        start = cursor.partition_index if cursor is not None and name == first else 0
        end = _int32(start + remaining)
        page = [topic.partitions[index] for index in sorted(topic.partitions) if start <= index < end]
        topics.append(_described(topic, page, ctx))
        remaining -= len(page)
        if end < len(topic.partitions):
            next_cursor = Cursor(topic_name=TopicName(name), partition_index=end)
            break
    return DescribeTopicPartitionsResponse(topics=tuple(topics), next_cursor=next_cursor)


def _int32(number: int) -> int:
    """A sum as Java has it: beyond its largest number it goes on with the smallest."""
    return (number + 2**31) % 2**32 - 2**31


def _missing(name: str, *, has_cursor: bool) -> DescribeTopicPartitionsResponseTopic:
    if not name and not has_cursor:
        # Kafka takes the empty name for the missing cursor's (4.3.1), trips, and has its error of last resort for all.
        raise KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, "a topic without a name")
    is_bad = reason_invalid(name) is not None
    return DescribeTopicPartitionsResponseTopic(
        error_code=ErrorCode.INVALID_TOPIC_EXCEPTION if is_bad else ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        name=TopicName(name),
        is_internal=name in INTERNAL_TOPICS,
        topic_authorized_operations=TOPIC_OPERATIONS,
    )


def _described(
    topic: TopicImage, page: list[PartitionImage], ctx: BrokerContext
) -> DescribeTopicPartitionsResponseTopic:
    reachable = reachable_brokers(ctx.image, ctx.listener)
    return DescribeTopicPartitionsResponseTopic(
        name=TopicName(topic.name),
        topic_id=topic.id,
        is_internal=topic.is_internal,
        partitions=tuple(_partition(one, reachable) for one in page),
        topic_authorized_operations=TOPIC_OPERATIONS,
    )


def _partition(
    partition: PartitionImage, reachable: Mapping[int, BrokerImage]
) -> DescribeTopicPartitionsResponsePartition:
    leader = partition.leader if partition.leader in reachable else NO_LEADER
    # Unlike Metadata, it answers without an error where there is no leader to be told of.
    return DescribeTopicPartitionsResponsePartition(
        partition_index=partition.index,
        leader_id=BrokerId(leader),
        leader_epoch=partition.leader_epoch,
        replica_nodes=tuple(map(BrokerId, partition.replicas)),
        isr_nodes=tuple(map(BrokerId, partition.isr)),
        eligible_leader_replicas=tuple(map(BrokerId, partition.elr)),
        last_known_elr=tuple(map(BrokerId, partition.last_known_elr)),
        offline_replicas=offline_replicas(partition, reachable),
    )
