"""AlterReplicaLogDirs: have replicas of this broker in other log folders (KIP-113).

**Promises** The answer comes before the move: a copy is made, and takes the log's place once it has all and the
controller knows of its folder. Until then DescribeLogDirs shows the copy as a future replica. A move to the folder
where the replica is ends one to another folder. A replica that is not here yet is put there when it comes.
**Refuses** Per partition: LOG_DIR_NOT_FOUND: the path is none of log.dirs; KAFKA_STORAGE_ERROR: it is offline, or any
folder is, or that of the replica; REPLICA_NOT_AVAILABLE: the broker has no replica; UNKNOWN_TOPIC_OR_PARTITION;
INVALID_TOPIC_EXCEPTION: the topic's name is too long for the folder of a copy; INVALID_REPLICA_ASSIGNMENT: the
folder is cordoned (KIP-1066).
**Versions** 2 is flexible.
**Departs from Kafka** Answers stand in the order of the request, where Kafka has none.
"""

from __future__ import annotations

from typing import Final

from reference_broker.apis.context import BrokerContext
from reference_broker.log.folder_names import FUTURE, LONGEST_NAME
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_replica_log_dirs_request import AlterReplicaLogDirsRequest
from reference_broker.wire.messages.alter_replica_log_dirs_response import (
    AlterReplicaLogDirPartitionResult,
    AlterReplicaLogDirsResponse,
    AlterReplicaLogDirTopicResult,
)
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.refusal import KafkaError

API: Final = ApiKey.ALTER_REPLICA_LOG_DIRS
VERSIONS: Final = range(1, 3)
LISTENERS: Final = ("broker",)
UNIQUE_HEX: Final = 32
"""Digits by which a copy's folder differs from others of the partition."""


def handle(request: AlterReplicaLogDirsRequest, ctx: BrokerContext) -> AlterReplicaLogDirsResponse:
    """Begin each move; of a partition that is named twice, what is said last counts."""
    asked: dict[str, dict[int, str]] = {}
    for folder in request.dirs:
        for topic in folder.topics:
            asked.setdefault(topic.name, {}).update(dict.fromkeys(topic.partitions, folder.path))
    return AlterReplicaLogDirsResponse(
        results=tuple(
            AlterReplicaLogDirTopicResult(
                topic_name=TopicName(topic),
                partitions=tuple(
                    AlterReplicaLogDirPartitionResult(
                        partition_index=index, error_code=_outcome(topic, index, path, ctx)
                    )
                    for index, path in partitions.items()
                ),
            )
            for topic, partitions in asked.items()
        )
    )


def _outcome(topic: str, index: int, path: str, ctx: BrokerContext) -> ErrorCode:
    try:
        _move(topic, index, path, ctx)
    except KafkaError as error:
        is_elsewhere = error.code is ErrorCode.NOT_LEADER_OR_FOLLOWER
        return ErrorCode.REPLICA_NOT_AVAILABLE if is_elsewhere else error.code
    return ErrorCode.NONE


def _move(topic: str, index: int, path: str, ctx: BrokerContext) -> None:
    if len(f"{topic}-{index}.-{FUTURE}") + UNIQUE_HEX > LONGEST_NAME:
        raise KafkaError(ErrorCode.INVALID_TOPIC_EXCEPTION, "the topic's name is too long")
    placement, partitions = ctx.partitions.placement, ctx.partitions
    folder = placement.folder_at(path)
    if folder is None or not folder.is_online:
        raise KafkaError(ErrorCode.KAFKA_STORAGE_ERROR, f"the log folder {path} is offline")
    if folder.path in partitions.folders.cordoned:
        raise KafkaError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, f"the log folder {path} is cordoned")
    if partitions.find(topic, index) is None:
        placement.wanted[topic, index] = folder
    partitions.moves.move(partitions.get(topic, index), folder, ctx.now)
