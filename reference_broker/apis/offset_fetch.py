"""OffsetFetch: how far groups have come.

**Promises** The last committed offset of each partition asked for, or of all that the group has; -1 where there is
none, also for groups and topics that do not exist. An offset that was committed for an earlier topic of the same name
does not count for the present one.
**Refuses** Per partition: UNKNOWN_TOPIC_ID; UNSTABLE_OFFSET_COMMIT: a transaction is about to commit it, and
require_stable was asked. Per group: NOT_COORDINATOR, also where what must be stable is not replicated in time;
COORDINATOR_LOAD_IN_PROGRESS.
**Versions** 2 null topics for all, one error for all; 5 leader epoch; 7 require_stable (KIP-447); 8 several groups
(KIP-709); 9 member id and epoch, which mean nothing to a classic group; 10 topic ids instead of names.
**Departs from Kafka** Nothing known.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace

from reference_broker.apis.context import BrokerContext
from reference_broker.groups.offset_requests import no_offset
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.offset_fetch_request import (
    OffsetFetchRequest,
    OffsetFetchRequestGroup,
    OffsetFetchRequestTopics,
)
from reference_broker.wire.messages.offset_fetch_response import (
    OffsetFetchResponse,
    OffsetFetchResponseGroup,
    OffsetFetchResponsePartition,
    OffsetFetchResponseTopic,
    OffsetFetchResponseTopics,
)
from reference_broker.wire.primitives import TopicName

API: Final = ApiKey.OFFSET_FETCH
VERSIONS: Final = range(1, 11)
LISTENERS: Final = ("broker",)

REFUSAL_VALUES: Final = {"committed_offset": -1}

ONE_ERROR_SINCE: Final = 2
SEVERAL_GROUPS_SINCE: Final = 8
TOPIC_IDS_SINCE: Final = 10


def handle(request: OffsetFetchRequest, ctx: BrokerContext) -> Any:
    """Answer for each group; a topic id that nobody knows is refused by itself."""
    version = ctx.api_version
    asked = _groups_of(request, version)
    unknown: list[tuple[OffsetFetchResponseTopics, ...]] = []
    known: list[OffsetFetchRequestGroup] = []
    for group in asked:
        if version < TOPIC_IDS_SINCE or group.topics is None:
            known.append(group)
            unknown.append(())
            continue
        names = [(topic, ctx.image.topics.by_id.get(topic.topic_id)) for topic in group.topics]
        here = tuple(replace(topic, name=TopicName(found.name)) for topic, found in names if found is not None)
        known.append(replace(group, topics=here))
        unknown.append(tuple(_refusal(one, ErrorCode.UNKNOWN_TOPIC_ID) for one, found in names if found is None))

    def finish(answers: list[OffsetFetchResponseGroup]) -> OffsetFetchResponse:
        groups = []
        for before, rest, answer in zip(asked, unknown, answers, strict=True):
            if version >= TOPIC_IDS_SINCE and before.topics is None:
                answer = replace(answer, topics=_with_ids(answer.topics, ctx))
            groups.append(replace(answer, topics=answer.topics + rest) if not answer.error_code else answer)
        return _response(groups, version)

    return ctx.groups.fetch_offsets(
        known,
        ctx,
        require_stable=request.require_stable,
        refused=lambda group, code: _group_error(group, version, code),
        finish=finish,
    )


def _groups_of(request: OffsetFetchRequest, version: int) -> tuple[OffsetFetchRequestGroup, ...]:
    """The request in the form of version 8: groups with their topics."""
    if version >= SEVERAL_GROUPS_SINCE:
        return request.groups
    topics = request.topics
    return (
        OffsetFetchRequestGroup(
            group_id=request.group_id,
            topics=None
            if topics is None
            else tuple(
                OffsetFetchRequestTopics(name=one.name, partition_indexes=one.partition_indexes) for one in topics
            ),
        ),
    )


def _response(groups: list[OffsetFetchResponseGroup], version: int) -> OffsetFetchResponse:
    if version >= SEVERAL_GROUPS_SINCE:
        return OffsetFetchResponse(groups=tuple(groups))
    (group,) = groups
    return OffsetFetchResponse(
        error_code=group.error_code,
        topics=tuple(
            OffsetFetchResponseTopic(
                name=topic.name,
                partitions=tuple(
                    OffsetFetchResponsePartition(
                        partition_index=one.partition_index,
                        committed_offset=one.committed_offset,
                        committed_leader_epoch=one.committed_leader_epoch,
                        metadata=one.metadata,
                        error_code=one.error_code,
                    )
                    for one in topic.partitions
                ),
            )
            for topic in group.topics
        ),
    )


def _group_error(group: OffsetFetchRequestGroup, version: int, code: ErrorCode) -> OffsetFetchResponseGroup:
    if version >= ONE_ERROR_SINCE:
        return OffsetFetchResponseGroup(group_id=group.group_id, error_code=code)
    return OffsetFetchResponseGroup(
        group_id=group.group_id, topics=tuple(_refusal(topic, code) for topic in group.topics or ())
    )


def _refusal(topic: OffsetFetchRequestTopics, code: ErrorCode) -> OffsetFetchResponseTopics:
    return OffsetFetchResponseTopics(
        name=topic.name,
        topic_id=topic.topic_id,
        partitions=tuple(no_offset(index, code) for index in topic.partition_indexes),
    )


def _with_ids(
    topics: tuple[OffsetFetchResponseTopics, ...], ctx: BrokerContext
) -> tuple[OffsetFetchResponseTopics, ...]:
    """Topics by their present id; one that is gone cannot be told in this version."""
    found = [(topic, ctx.image.topics.get(topic.name)) for topic in topics]
    return tuple(replace(topic, topic_id=image.id) for topic, image in found if image is not None)
