"""OffsetDelete: a group forgets how far it has come with topics that it does not read any more (KIP-496).

**Promises** The offsets are gone when the answer says so, also after a restart.
**Refuses** INVALID_GROUP_ID; GROUP_ID_NOT_FOUND; NON_EMPTY_GROUP: a group with members that are no consumers;
NOT_COORDINATOR; COORDINATOR_LOAD_IN_PROGRESS; COORDINATOR_NOT_AVAILABLE: not replicated in time. Per partition:
UNKNOWN_TOPIC_OR_PARTITION; GROUP_SUBSCRIBED_TO_TOPIC: a member reads the topic.
**Versions** 0 only.
**Departs from Kafka** Nothing known.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from msgspec.structs import replace

from reference_broker.apis.context import BrokerContext
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.offset_delete_request import OffsetDeleteRequest, OffsetDeleteRequestTopic
from reference_broker.wire.messages.offset_delete_response import (
    OffsetDeleteResponse,
    OffsetDeleteResponsePartition,
    OffsetDeleteResponseTopic,
)

API: Final = ApiKey.OFFSET_DELETE
VERSIONS: Final = range(1)
LISTENERS: Final = ("broker",)


def handle(request: OffsetDeleteRequest, ctx: BrokerContext) -> Any:
    """Delete what exists; what does not is refused partition by partition."""
    known: list[OffsetDeleteRequestTopic] = []
    refused: list[OffsetDeleteResponseTopic] = []
    for asked in request.topics:
        topic = ctx.image.topics.get(asked.name)
        partitions = {} if topic is None else topic.partitions
        there = tuple(one for one in asked.partitions if one.partition_index in partitions)
        absent = [one.partition_index for one in asked.partitions if one.partition_index not in partitions]
        if absent or topic is None:
            refused.append(_refusal(asked, absent))
        if there:
            known.append(replace(asked, partitions=there))

    def finish(response: OffsetDeleteResponse) -> OffsetDeleteResponse:
        # Only beside refusals Kafka merges what is told of a topic that was named twice.
        return OffsetDeleteResponse(topics=_merged([*refused, *response.topics])) if refused else response

    return ctx.groups.delete_offsets(replace(request, topics=tuple(known)), ctx, finish)


def _refusal(topic: OffsetDeleteRequestTopic, indexes: Iterable[int]) -> OffsetDeleteResponseTopic:
    code = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    return OffsetDeleteResponseTopic(
        name=topic.name,
        partitions=tuple(OffsetDeleteResponsePartition(partition_index=one, error_code=code) for one in indexes),
    )


def _merged(topics: Iterable[OffsetDeleteResponseTopic]) -> tuple[OffsetDeleteResponseTopic, ...]:
    """One row for each topic, in the order of first mention."""
    found: dict[str, OffsetDeleteResponseTopic] = {}
    for topic in topics:
        before = found.get(topic.name)
        found[topic.name] = (
            topic if before is None else replace(before, partitions=before.partitions + topic.partitions)
        )
    return tuple(found.values())
