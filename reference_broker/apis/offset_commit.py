"""OffsetCommit: how far a group has come.

**Promises** A committed offset is a record in `__consumer_offsets`: it is what OffsetFetch answers until the next
commit, also after a restart. A commit of a member counts as a heartbeat. Without generation and member id it creates a
group that only keeps offsets, or commits to an empty one.
**Refuses** Per partition: UNKNOWN_TOPIC_OR_PARTITION; UNKNOWN_TOPIC_ID; OFFSET_METADATA_TOO_LARGE: more than
offset.metadata.max.bytes. For all: UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS:
the generation has no assignment yet; GROUP_ID_NOT_FOUND: an unknown group with a generation (before version 9
ILLEGAL_GENERATION); NOT_COORDINATOR; COORDINATOR_LOAD_IN_PROGRESS; COORDINATOR_NOT_AVAILABLE: not replicated in time.
**Versions** 5 no retention time any more; 6 leader epoch; 7 group.instance.id; 10 topic ids instead of names.
**Departs from Kafka** Nothing known.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from msgspec.structs import replace

from reference_broker.apis.context import BrokerContext
from reference_broker.metadata.topics import TopicImage
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.offset_commit_request import OffsetCommitRequest, OffsetCommitRequestTopic
from reference_broker.wire.messages.offset_commit_response import (
    OffsetCommitResponse,
    OffsetCommitResponsePartition,
    OffsetCommitResponseTopic,
)
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.refusal import KafkaError
from reference_broker.wire.refusal_response import refusal_response

API: Final = ApiKey.OFFSET_COMMIT
VERSIONS: Final = range(2, 11)
LISTENERS: Final = ("broker",)

TOPIC_IDS_SINCE: Final = 10


def handle(request: OffsetCommitRequest, ctx: BrokerContext) -> Any:
    """Commit what exists; what does not is refused partition by partition."""
    known: list[OffsetCommitRequestTopic] = []
    refused: list[OffsetCommitResponseTopic] = []
    for asked in request.topics:
        topic, code = _resolve(asked, ctx)
        if topic is None:
            refused.append(_refusal(asked, code))
            continue
        named = replace(asked, name=TopicName(topic.name), topic_id=topic.id)
        there = tuple(one for one in asked.partitions if one.partition_index in topic.partitions)
        absent = tuple(one for one in asked.partitions if one.partition_index not in topic.partitions)
        if absent:
            refused.append(_refusal(replace(named, partitions=absent), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION))
        if there:
            known.append(replace(named, partitions=there))

    def finish(response: OffsetCommitResponse) -> OffsetCommitResponse:
        # Only beside refusals Kafka merges what is told of a topic that was named twice.
        return (
            OffsetCommitResponse(topics=_merged([*refused, *response.topics], ctx.api_version)) if refused else response
        )

    if not known:
        return finish(OffsetCommitResponse())
    commit = replace(request, topics=tuple(known))
    try:
        return ctx.groups.commit(commit, ctx, finish)
    except KafkaError as error:
        return finish(refusal_response(commit, ctx.api_version, error.code))


def _resolve(asked: OffsetCommitRequestTopic, ctx: BrokerContext) -> tuple[TopicImage | None, ErrorCode]:
    if ctx.api_version >= TOPIC_IDS_SINCE:
        return ctx.image.topics.by_id.get(asked.topic_id), ErrorCode.UNKNOWN_TOPIC_ID
    return ctx.image.topics.get(asked.name), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


def _refusal(topic: OffsetCommitRequestTopic, code: ErrorCode) -> OffsetCommitResponseTopic:
    return OffsetCommitResponseTopic(
        name=topic.name,
        topic_id=topic.topic_id,
        partitions=tuple(
            OffsetCommitResponsePartition(partition_index=one.partition_index, error_code=code)
            for one in topic.partitions
        ),
    )


def _merged(topics: Iterable[OffsetCommitResponseTopic], version: int) -> tuple[OffsetCommitResponseTopic, ...]:
    """One row for each topic, in the order of first mention."""
    found: dict[bytes | str, OffsetCommitResponseTopic] = {}
    for topic in topics:
        key: bytes | str = topic.topic_id if version >= TOPIC_IDS_SINCE else topic.name
        before = found.get(key)
        found[key] = topic if before is None else replace(before, partitions=before.partitions + topic.partitions)
    return tuple(found.values())
