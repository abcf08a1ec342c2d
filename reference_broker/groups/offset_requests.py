"""OffsetCommit, OffsetFetch, OffsetDelete, and the expiry of offsets, on a shard's groups.

Source: Kafka protocol guide; KIP-211 (expiry), KIP-447 (stable offsets), KIP-496 (OffsetDelete), KIP-848 (topic ids).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from reference_broker.coordinator.shard import CoordinatorRecord, Decision
from reference_broker.groups.classic_group import ClassicGroup, State
from reference_broker.groups.offsets import Committed, Offsets
from reference_broker.groups.rebalance import Groups, Rebalance
from reference_broker.groups.records import offset_record, offset_tombstone
from reference_broker.groups.request import RequestContext
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.offset_commit_request import OffsetCommitRequest, OffsetCommitRequestPartition
from reference_broker.wire.messages.offset_commit_response import (
    OffsetCommitResponse,
    OffsetCommitResponsePartition,
    OffsetCommitResponseTopic,
)
from reference_broker.wire.messages.offset_commit_value import OffsetCommitValue
from reference_broker.wire.messages.offset_delete_request import OffsetDeleteRequest
from reference_broker.wire.messages.offset_delete_response import (
    OffsetDeleteResponse,
    OffsetDeleteResponsePartition,
    OffsetDeleteResponseTopic,
)
from reference_broker.wire.messages.offset_fetch_request import OffsetFetchRequestGroup, OffsetFetchRequestTopics
from reference_broker.wire.messages.offset_fetch_response import (
    OffsetFetchResponseGroup,
    OffsetFetchResponsePartitions,
    OffsetFetchResponseTopics,
)
from reference_broker.wire.primitives import ZERO_UUID, TopicName
from reference_broker.wire.refusal import KafkaError

GROUP_NOT_FOUND_SINCE: Final = 9
NO_RETENTION_ASKED: Final = -1
MS_A_MINUTE: Final = 60_000


class OffsetRequests:
    """The requests that concern offsets, for all groups of a shard."""

    def __init__(
        self, groups: Groups, offsets: Offsets, rebalance: Rebalance, config: Callable[[], BrokerConfig]
    ) -> None:
        self._groups, self._offsets, self._rebalance, self._config = groups, offsets, rebalance, config

    # -- OffsetCommit -------------------------------------------------------------------------------------------

    def decide_commit(self, request: OffsetCommitRequest, ctx: RequestContext) -> Decision:
        """Records that make this commit true. Topic names and ids in the request are resolved already."""
        self._require_may_commit(request, ctx)
        limit = self._config().number("offset.metadata.max.bytes")
        retention_ms = request.retention_time_ms
        expires_at_ms = -1 if retention_ms == NO_RETENTION_ASKED else _int64(ctx.now.wall_ms + retention_ms)
        records: list[CoordinatorRecord] = []
        topics = []
        for topic in request.topics:
            results = []
            for partition in topic.partitions:
                code = ErrorCode.NONE
                if _java_length(partition.committed_metadata or "") > limit:
                    code = ErrorCode.OFFSET_METADATA_TOO_LARGE
                else:
                    value = _commit_value(partition, topic.topic_id, ctx.now.wall_ms, expires_at_ms)
                    records.append(offset_record(request.group_id, topic.name, partition.partition_index, value))
                results.append(
                    OffsetCommitResponsePartition(partition_index=partition.partition_index, error_code=code)
                )
            topics.append(
                OffsetCommitResponseTopic(name=topic.name, topic_id=topic.topic_id, partitions=tuple(results))
            )
        return Decision(tuple(records), OffsetCommitResponse(topics=tuple(topics)))

    def _require_may_commit(self, request: OffsetCommitRequest, ctx: RequestContext) -> None:
        """A commit to a group that is not there makes it, by its records."""
        group = self._groups.get(request.group_id)
        generation, member_id = request.generation_id_or_member_epoch, request.member_id
        if group is None:
            if generation >= 0:
                raise KafkaError(
                    ErrorCode.GROUP_ID_NOT_FOUND
                    if ctx.api_version >= GROUP_NOT_FOUND_SINCE
                    else ErrorCode.ILLEGAL_GENERATION
                )
            return
        if generation < 0 and group.state is State.EMPTY:
            return
        if generation < 0 and not member_id and request.group_instance_id is None:
            raise KafkaError(ErrorCode.UNKNOWN_MEMBER_ID)
        group.require_member(member_id, request.group_instance_id)
        if generation != group.generation:
            raise KafkaError(ErrorCode.ILLEGAL_GENERATION)
        if group.state is State.COMPLETING:
            raise KafkaError(ErrorCode.REBALANCE_IN_PROGRESS)
        self._rebalance.renew_session(group, group.members[member_id], ctx.now)

    # -- OffsetFetch --------------------------------------------------------------------------------------------

    def fetch(self, request: OffsetFetchRequestGroup, *, require_stable: bool) -> OffsetFetchResponseGroup:
        """What a group committed: for the partitions asked, or all that it has."""
        group_id = request.group_id
        is_known = group_id in self._groups
        topics: Iterable[OffsetFetchRequestTopics]
        if request.topics is not None:
            topics = request.topics
        else:
            topics = (
                OffsetFetchRequestTopics(name=TopicName(topic), partition_indexes=tuple(index for index, _ in offsets))
                for topic, offsets in (self._offsets.of_group(group_id) if is_known else ())
            )
        answers = []
        for topic in topics:
            offsets = self._offsets.of_topic(group_id, topic.name) if is_known else {}
            partitions = []
            for index in topic.partition_indexes:
                committed = offsets.get(index)
                if require_stable and self._offsets.is_pending(group_id, topic.name, index):
                    partitions.append(no_offset(index, ErrorCode.UNSTABLE_OFFSET_COMMIT))
                elif committed is None or _is_of_another_topic(committed, topic):
                    partitions.append(no_offset(index))
                else:
                    partitions.append(
                        OffsetFetchResponsePartitions(
                            partition_index=index,
                            committed_offset=committed.value.offset,
                            committed_leader_epoch=committed.value.leader_epoch,
                            metadata=committed.value.metadata,
                        )
                    )
            answers.append(
                OffsetFetchResponseTopics(name=topic.name, topic_id=topic.topic_id, partitions=tuple(partitions))
            )
        return OffsetFetchResponseGroup(group_id=group_id, topics=tuple(answers))

    # -- OffsetDelete -------------------------------------------------------------------------------------------

    def decide_deletion(self, request: OffsetDeleteRequest) -> Decision:
        """Tombstones for offsets that nobody in the group may still use."""
        group_id = request.group_id
        group = self._groups.get(group_id)
        if group is None:
            raise KafkaError(ErrorCode.GROUP_ID_NOT_FOUND, f"Group {group_id} not found.")
        if group.state is not State.EMPTY and not group.speaks_consumer:
            raise KafkaError(ErrorCode.NON_EMPTY_GROUP)
        records = []
        topics = []
        for topic in request.topics:
            code = ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC if group.is_subscribed_to(topic.name) else ErrorCode.NONE
            indexes = [partition.partition_index for partition in topic.partitions]
            topics.append(
                OffsetDeleteResponseTopic(
                    name=topic.name,
                    partitions=tuple(
                        OffsetDeleteResponsePartition(partition_index=index, error_code=code) for index in indexes
                    ),
                )
            )
            if code is ErrorCode.NONE:
                offsets = self._offsets.of_topic(group_id, topic.name)
                records += [
                    offset_tombstone(group_id, topic.name, index)
                    for index in dict.fromkeys(indexes)
                    if index in offsets or self._offsets.is_pending(group_id, topic.name, index)
                ]
        return Decision(tuple(records), OffsetDeleteResponse(topics=tuple(topics)))

    # -- going ----------------------------------------------------------------------------------------------

    def tombstones_of(self, group_id: str) -> list[CoordinatorRecord]:
        """All offsets of a group go."""
        return [
            offset_tombstone(group_id, topic, index) for topic, index in self._offsets.partitions_to_delete(group_id)
        ]

    def tombstones_of_topic(self, name: str, topic_id: bytes) -> list[CoordinatorRecord]:
        """All offsets for a topic that was deleted go."""
        return [
            offset_tombstone(group_id, name, index)
            for group_id, index in self._offsets.of_deleted_topic(name, topic_id)
        ]

    def expired(self, group: ClassicGroup, now_ms: int) -> tuple[list[CoordinatorRecord], bool]:
        """(tombstones of offsets whose time is over, whether none is left)."""
        if not self._offsets.has(group.id):
            return [], not self._offsets.has_pending(group.id)
        since = _expiry_counts_from(group)
        if since is None:
            return [], False
        retention_ms = self._config().number("offsets.retention.minutes") * MS_A_MINUTE
        records, is_all = [], True
        for topic, offsets in self._offsets.of_group(group.id):
            is_read = group.is_subscribed_to(topic)
            for index, committed in offsets:
                if (
                    not is_read
                    and committed.is_expired(since(committed), retention_ms, now_ms)
                    and not self._offsets.is_pending(group.id, topic, index)
                ):
                    records.append(offset_tombstone(group.id, topic, index))
                else:
                    is_all = False
        return records, is_all and not self._offsets.has_pending(group.id)


def no_offset(index: int, code: ErrorCode = ErrorCode.NONE) -> OffsetFetchResponsePartitions:
    """A partition for which nothing was committed, or nothing may be told."""
    return OffsetFetchResponsePartitions(partition_index=index, committed_offset=-1, error_code=code)


def _expiry_counts_from(group: ClassicGroup) -> Callable[[Committed], int] | None:
    """From when an offset's retention counts (ms); None where the group's offsets do not expire now."""
    if group.protocol_type is None:
        return lambda committed: committed.value.commit_timestamp
    if group.state is State.EMPTY:
        if group.state_since_ms >= 0:
            return lambda committed: group.state_since_ms
        return lambda committed: committed.value.commit_timestamp
    if group.state is State.STABLE and group.speaks_consumer and group.topics is not None:
        return lambda committed: committed.value.commit_timestamp
    return None


def _commit_value(
    partition: OffsetCommitRequestPartition, topic_id: bytes, now_ms: int, expires_at_ms: int
) -> OffsetCommitValue:
    return OffsetCommitValue(
        offset=partition.committed_offset,
        leader_epoch=partition.committed_leader_epoch,
        metadata=partition.committed_metadata or "",
        commit_timestamp=now_ms,
        expire_timestamp=expires_at_ms,
        topic_id=topic_id,  # type: ignore[arg-type]
    )


def _is_of_another_topic(committed: Committed, topic: OffsetFetchRequestTopics) -> bool:
    """Whether the offset was committed for an earlier topic of the same name."""
    stored = committed.value.topic_id
    return ZERO_UUID not in (stored, topic.topic_id) and stored != topic.topic_id


def _int64(number: int) -> int:
    """A sum as Java has it: beyond its largest number it goes on with the smallest."""
    return (number + 2**63) % 2**64 - 2**63


def _java_length(text: str) -> int:
    """Length in UTF-16 units: what Kafka compares with a limit that is named in bytes."""
    return len(text) + sum(1 for char in text if ord(char) > 0xFFFF) if not text.isascii() else len(text)
