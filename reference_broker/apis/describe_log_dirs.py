"""DescribeLogDirs: the broker's log folders, their volumes, and the logs in them.

**Promises** Every folder of log.dirs, with the bytes of its volume, and of each log asked for (all, where none is
named) the bytes of its segments and how far it lags behind. A log that is a copy on its way to a folder, a future
replica, stands beside the log itself; it lags by what it lacks of that.
**Refuses** Per folder: KAFKA_STORAGE_ERROR: it is offline.
**Versions** 3 an error of the whole answer; 4 bytes of the volume; 5 whether a folder is cordoned.
**Departs from Kafka** Nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from reference_broker.apis.context import BrokerContext
from reference_broker.log.log_directory import LogDirectory
from reference_broker.metadata.image import CORDONED_SINCE
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_log_dirs_request import DescribeLogDirsRequest
from reference_broker.wire.messages.describe_log_dirs_response import (
    DescribeLogDirsPartition,
    DescribeLogDirsResponse,
    DescribeLogDirsResult,
    DescribeLogDirsTopic,
)
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.refusal import KafkaError

API: Final = ApiKey.DESCRIBE_LOG_DIRS
VERSIONS: Final = range(1, 6)
LISTENERS: Final = ("broker",)

Asked = dict[tuple[str, int], None] | None
"""The partitions that are asked for; None for all."""


def handle(request: DescribeLogDirsRequest, ctx: BrokerContext) -> DescribeLogDirsResponse:
    """Look at each folder."""
    asked: Asked = None
    if request.topics is not None:
        asked = {(topic.topic, index): None for topic in request.topics for index in topic.partitions}
    paths = dict.fromkeys(ctx.config.log_dirs)
    return DescribeLogDirsResponse(results=tuple(_described(path, asked, ctx) for path in paths))


def _described(path: str, asked: Asked, ctx: BrokerContext) -> DescribeLogDirsResult:
    folder, shown = ctx.partitions.folders.folders.get(path), ctx.partitions.folders.absolute(path)
    try:
        if folder is None or not folder.is_online:
            raise KafkaError(ErrorCode.KAFKA_STORAGE_ERROR, f"the log folder {path} is offline")
        total, usable = folder.usage()
    except KafkaError as error:
        return DescribeLogDirsResult(error_code=error.code, log_dir=shown)
    return DescribeLogDirsResult(
        log_dir=shown,
        topics=tuple(_topics(folder, asked, ctx)),
        total_bytes=total,
        usable_bytes=usable,
        is_cordoned=path in ctx.partitions.folders.cordoned and ctx.image.metadata_version >= CORDONED_SINCE,
    )


def _topics(folder: LogDirectory, asked: Asked, ctx: BrokerContext) -> Iterable[DescribeLogDirsTopic]:
    topics: dict[str, list[DescribeLogDirsPartition]] = {}
    for (topic, index), log in folder.logs.items():
        if asked is None or (topic, index) in asked:
            topics.setdefault(topic, []).append(
                DescribeLogDirsPartition(
                    partition_index=index,
                    partition_size=log.size,
                    offset_lag=max(log.high_watermark - log.log_end_offset, 0),
                )
            )
    for (topic, index), copy in folder.futures.logs.items():
        if asked is None or (topic, index) in asked:
            move = ctx.partitions.moves.find((topic, index))
            topics.setdefault(topic, []).append(
                DescribeLogDirsPartition(
                    partition_index=index,
                    partition_size=copy.size,
                    offset_lag=0 if move is None else move.lag,
                    is_future_key=True,
                )
            )
    for topic, partitions in topics.items():
        yield DescribeLogDirsTopic(name=TopicName(topic), partitions=tuple(partitions))
