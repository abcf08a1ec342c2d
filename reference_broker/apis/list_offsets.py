"""ListOffsets: offsets by time, and the ends of partitions.

**Promises** -1: the end of what the reader may see, by its isolation level. -2 and -4: the log's start. -3: the first
record with the largest timestamp. -5 and -6: -1, as nothing is in remote storage. A time: the first record with that
timestamp or a later one, with its timestamp and leader epoch. Offset and timestamp -1, without error, where there is
none, or it may not be seen yet.
**Refuses** Per partition: INVALID_REQUEST: asked for twice; UNSUPPORTED_VERSION: a negative timestamp that the version
does not know; UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR; FENCED_LEADER_EPOCH,
UNKNOWN_LEADER_EPOCH; OFFSET_NOT_AVAILABLE (LEADER_NOT_AVAILABLE below version 5): a new leader does not know yet what
may be seen. UNKNOWN_SERVER_ERROR for all: an isolation level that does not exist.
**Versions** 2 isolation level; 4 leader epochs; 7 timestamp -3; 8 -4; 9 -5; 10 a timeout, which nothing waits for; 11
-6.
**Departs from Kafka** Partitions are answered in the order of the request, where Kafka has none.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from reference_broker.apis.context import BrokerContext
from reference_broker.replication.partition import Partition
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.list_offsets_request import (
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
)
from reference_broker.wire.messages.list_offsets_response import (
    ListOffsetsPartitionResponse,
    ListOffsetsResponse,
    ListOffsetsTopicResponse,
)
from reference_broker.wire.refusal import KafkaError

API: Final = ApiKey.LIST_OFFSETS
VERSIONS: Final = range(1, 12)
LISTENERS: Final = ("broker",)

LATEST, EARLIEST, MAX_TIMESTAMP, EARLIEST_LOCAL, LATEST_TIERED, EARLIEST_PENDING_UPLOAD = range(-1, -7, -1)
SINCE: Final = {
    LATEST: 1,
    EARLIEST: 1,
    MAX_TIMESTAMP: 7,
    EARLIEST_LOCAL: 8,
    LATEST_TIERED: 9,
    EARLIEST_PENDING_UPLOAD: 11,
}
"""The version from which a special timestamp is known."""
CONSUMER, DEBUGGER = -1, -2
"""Replica ids of those that are no broker."""
READ_COMMITTED: Final = 1
NOT_AVAILABLE_SINCE: Final = 5
EPOCHS_SINCE: Final = 4

Found = tuple[int, int, int]
"""(offset, timestamp, leader epoch), each -1 where there is none."""
NOTHING: Final[Found] = (-1, -1, -1)


def handle(request: ListOffsetsRequest, ctx: BrokerContext) -> ListOffsetsResponse:
    """Look up each partition; one that is asked for twice is answered once, with an error."""
    if request.isolation_level not in (0, READ_COMMITTED):
        raise KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, f"there is no isolation level {request.isolation_level}")
    counts = Counter((topic.name, one.partition_index) for topic in request.topics for one in topic.partitions)
    topics: dict[str, dict[int, ListOffsetsPartitionResponse]] = {}
    for topic in request.topics:
        answers = topics.setdefault(topic.name, {})
        for one in topic.partitions:
            is_twice = counts[topic.name, one.partition_index] > 1
            answers[one.partition_index] = (
                _refused(one, ErrorCode.INVALID_REQUEST) if is_twice else _answered(topic, one, request, ctx)
            )
    return ListOffsetsResponse(
        topics=tuple(
            ListOffsetsTopicResponse(name=topic.name, partitions=tuple(topics.pop(topic.name).values()))
            for topic in request.topics
            if topics.get(topic.name)
        )
    )


def _refused(asked: ListOffsetsPartition, code: ErrorCode) -> ListOffsetsPartitionResponse:
    return ListOffsetsPartitionResponse(partition_index=asked.partition_index, error_code=code)


def _answered(
    topic: ListOffsetsTopic, asked: ListOffsetsPartition, request: ListOffsetsRequest, ctx: BrokerContext
) -> ListOffsetsPartitionResponse:
    version, timestamp = ctx.api_version, asked.timestamp
    if timestamp < 0 and version < SINCE.get(timestamp, version + 1):
        return _refused(asked, ErrorCode.UNSUPPORTED_VERSION)
    try:
        partition = ctx.partitions.get(topic.name, asked.partition_index)
        log = partition.checked_log(asked.current_leader_epoch, only_leader=request.replica_id != DEBUGGER)
        is_client = request.replica_id == CONSUMER
        end = log.log_end_offset
        if is_client:
            end = log.last_stable_offset if request.isolation_level == READ_COMMITTED else log.high_watermark
        offset, found_timestamp, epoch = _look_up(partition, timestamp, end, is_client=is_client)
    except KafkaError as error:
        if error.code is ErrorCode.OFFSET_NOT_AVAILABLE and version < NOT_AVAILABLE_SINCE:
            return _refused(asked, ErrorCode.LEADER_NOT_AVAILABLE)
        return _refused(asked, error.code)
    return ListOffsetsPartitionResponse(
        partition_index=asked.partition_index,
        offset=offset,
        timestamp=found_timestamp,
        leader_epoch=epoch if version >= EPOCHS_SINCE else -1,
    )


def _look_up(partition: Partition, timestamp: int, end: int, *, is_client: bool) -> Found:
    """What is asked for, below `end`. OFFSET_NOT_AVAILABLE where it may lie beyond it."""
    log = partition.log
    if timestamp == LATEST:
        _check_available(partition, is_client=is_client)
        return end, -1, partition.leader_epoch
    if timestamp in (EARLIEST, EARLIEST_LOCAL):
        return log.log_start_offset, -1, log.epochs.earliest_at(log.log_start_offset)
    if timestamp in (LATEST_TIERED, EARLIEST_PENDING_UPLOAD):
        return NOTHING
    found = log.offset_of_max_timestamp() if timestamp == MAX_TIMESTAMP else log.offset_at_time(timestamp)
    if found is None or found.offset >= end:
        _check_available(partition, is_client=is_client)
        return NOTHING
    return found.offset, found.timestamp, found.leader_epoch


def _check_available(partition: Partition, *, is_client: bool) -> None:
    if is_client and partition.is_behind_its_epoch:
        raise KafkaError(ErrorCode.OFFSET_NOT_AVAILABLE, f"the leader of {partition} is new")
