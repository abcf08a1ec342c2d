"""The group coordinator of a broker: finds the shard that a group belongs to, and speaks for it.

A group lives in the partition of __consumer_offsets that the hash of its id names; whoever leads that partition
coordinates the group. Source: Kafka protocol guide, "Group Membership Protocol"; KIP-848.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, Protocol

from msgspec.structs import replace as with_fields

from reference_broker.coordinator.log import CoordinatorLog
from reference_broker.coordinator.runtime import Part, Runtime
from reference_broker.coordinator.shard import Decision
from reference_broker.environment import Now, Random
from reference_broker.groups.answers import join_refused
from reference_broker.groups.records import TYPES
from reference_broker.groups.request import RequestContext, WaitingRequest
from reference_broker.groups.shard import GroupShard
from reference_broker.java_hash import partition_for
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.waiting import Later
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.delete_groups_response import DeletableGroupResult
from reference_broker.wire.messages.describe_groups_response import DescribedGroup
from reference_broker.wire.messages.heartbeat_request import HeartbeatRequest
from reference_broker.wire.messages.heartbeat_response import HeartbeatResponse
from reference_broker.wire.messages.join_group_request import JoinGroupRequest
from reference_broker.wire.messages.leave_group_request import LeaveGroupRequest
from reference_broker.wire.messages.offset_commit_request import OffsetCommitRequest
from reference_broker.wire.messages.offset_delete_request import OffsetDeleteRequest
from reference_broker.wire.messages.offset_fetch_request import OffsetFetchRequestGroup
from reference_broker.wire.messages.offset_fetch_response import OffsetFetchResponseGroup
from reference_broker.wire.messages.sync_group_request import SyncGroupRequest
from reference_broker.wire.primitives import GroupId, Uuid
from reference_broker.wire.refusal import KafkaError

TOPIC: Final = "__consumer_offsets"

FETCH_REFUSED_AS: Final = {ErrorCode.COORDINATOR_NOT_AVAILABLE: ErrorCode.NOT_COORDINATOR}

Finish = Callable[[Any], Any]
"""What makes the whole response out of the coordinator's part of it."""


class LedPartition(Protocol):
    """A partition as the metadata tells it."""

    @property
    def leader(self) -> int:
        """The broker that leads it; -1 for none."""

    @property
    def leader_epoch(self) -> int:
        """The epoch of that leadership."""


class Topic(Protocol):
    """A topic as the metadata tells it."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def id(self) -> Uuid:
        """Its id."""

    @property
    def partitions(self) -> Mapping[int, LedPartition]:
        """Its partitions by index."""


class Topics(Protocol):
    """The topics of the metadata, as of now."""

    def get(self, name: str) -> Topic | None:
        """A topic by name."""


class Delta(Protocol):
    """A change of the metadata."""

    @property
    def deleted_topics(self) -> Mapping[Uuid, Topic]:
        """The topics that went, by id."""


class GroupCoordinator:
    """All groups that this broker coordinates. Methods that take a request return the response, or a Later."""

    def __init__(
        self,
        *,
        log: CoordinatorLog,
        config: Callable[[], BrokerConfig],
        topics: Callable[[], Topics],
        random: Random,
    ) -> None:
        self._config, self._topics = config, topics
        self._runtime: Runtime[GroupShard] = Runtime(
            log=log,
            types=TYPES,
            new_shard=lambda services: GroupShard(services, config, random),
            config=config,
            compression_key="offsets.topic.compression.codec",
            timeout_key="offsets.commit.timeout.ms",
        )
        self.next_deadline_ms = self._runtime.next_deadline_ms
        """When `on_time` must be called next (monotonic); None for never."""

    # -- where groups live --------------------------------------------------------------------------------------

    def partition_for(self, group_id: str) -> int:
        """The partition of __consumer_offsets that a group belongs to."""
        topic = self._topics().get(TOPIC)
        count = len(topic.partitions) if topic is not None else 0
        return partition_for(group_id, count or self._config().number("offsets.topic.num.partitions"))

    def on_metadata(self, delta: Delta, now: Now) -> None:
        """Load what this broker leads now, unload what it does not, drop offsets of topics that are gone."""
        topic = self._topics().get(TOPIC)
        own_id = self._config().node_id
        partitions = {} if topic is None else topic.partitions
        led = {index: one.leader_epoch for index, one in partitions.items() if one.leader == own_id}
        self._runtime.follow(led, now)
        gone = [(topic.name, topic.id) for topic in delta.deleted_topics.values()]
        if gone:
            self._runtime.carry_out_everywhere(lambda shard: shard.forget_topics(gone), now)

    # -- members ------------------------------------------------------------------------------------------------

    def join(self, request: JoinGroupRequest, ctx: RequestContext) -> Any:
        """JoinGroup; nearly always a Later."""
        config, version = self._config(), ctx.api_version
        if not request.group_id:
            return join_refused(version, ErrorCode.INVALID_GROUP_ID, request.member_id)
        shortest = config.number("group.min.session.timeout.ms")
        longest = config.number("group.max.session.timeout.ms")
        if not shortest <= request.session_timeout_ms <= longest:
            return join_refused(version, ErrorCode.INVALID_SESSION_TIMEOUT, request.member_id)
        if version == 0:
            request = with_fields(request, rebalance_timeout_ms=request.session_timeout_ms)
        return self._defer(request.group_id, lambda shard, asked: shard.joining.decide(request, asked), ctx)

    def sync(self, request: SyncGroupRequest, ctx: RequestContext) -> Any:
        """SyncGroup; nearly always a Later."""
        _require_id(request.group_id)
        return self._defer(request.group_id, lambda shard, asked: shard.membership.decide_sync(request, asked), ctx)

    def heartbeat(self, request: HeartbeatRequest, ctx: RequestContext) -> Any:
        """Heartbeat. While groups are loaded nobody is sent away: each member gets a new session then."""
        _require_id(request.group_id)
        try:
            return self._submit(request.group_id, lambda shard: shard.membership.decide_heartbeat(request, ctx), ctx)
        except KafkaError as error:
            if error.code is not ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
                raise
            return HeartbeatResponse()

    def leave(self, request: LeaveGroupRequest, ctx: RequestContext, finish: Finish) -> Any:
        """LeaveGroup in the form of version 3: a list of members."""
        _require_id(request.group_id)
        return self._submit(request.group_id, lambda shard: shard.membership.decide_leave(request, ctx), ctx, finish)

    # -- offsets ------------------------------------------------------------------------------------------------

    def commit(self, request: OffsetCommitRequest, ctx: RequestContext, finish: Finish) -> Any:
        """OffsetCommit of partitions that exist, each topic with its name and id."""
        return self._submit(request.group_id, lambda shard: shard.offsets.decide_commit(request, ctx), ctx, finish)

    def fetch_offsets(
        self,
        groups: Iterable[OffsetFetchRequestGroup],
        ctx: RequestContext,
        *,
        require_stable: bool,
        refused: Callable[[OffsetFetchRequestGroup, ErrorCode], OffsetFetchResponseGroup],
        finish: Finish,
    ) -> Any:
        """OffsetFetch of several groups; each has its own answer or error."""

        def part(group: OffsetFetchRequestGroup) -> Part[GroupShard]:
            return Part(
                self.partition_for(group.group_id),
                lambda shard: Decision(response=shard.offsets.fetch(group, require_stable=require_stable)),
                # Old consumers do not know COORDINATOR_NOT_AVAILABLE here; all look for the coordinator anew.
                lambda error: refused(group, FETCH_REFUSED_AS.get(error.code, error.code)),
                is_read=not require_stable,
            )

        return self._runtime.submit_all([part(group) for group in groups], finish, ctx.now)

    def delete_offsets(self, request: OffsetDeleteRequest, ctx: RequestContext, finish: Finish) -> Any:
        """OffsetDelete of partitions that exist."""
        _require_id(request.group_id)
        return self._submit(request.group_id, lambda shard: shard.offsets.decide_deletion(request), ctx, finish)

    # -- administration -----------------------------------------------------------------------------------------

    def describe_groups(self, group_ids: Iterable[GroupId], ctx: RequestContext, finish: Finish) -> Any:
        """DescribeGroups; `finish` takes a DescribedGroup for each id."""

        def part(group_id: GroupId) -> Part[GroupShard]:
            return Part(
                self.partition_for(group_id),
                lambda shard: Decision(response=shard.describe(group_id, ctx.api_version)),
                lambda error: DescribedGroup(group_id=group_id, error_code=error.code),
                is_read=True,
            )

        return self._runtime.submit_all([part(one) for one in group_ids], finish, ctx.now)

    def list_groups(self, states: Iterable[str], types: Iterable[str], ctx: RequestContext, finish: Finish) -> Any:
        """ListGroups; `finish` takes the groups of all partitions that are led here.

        COORDINATOR_LOAD_IN_PROGRESS while one of them is loaded.
        """
        if self._runtime.is_loading:
            raise KafkaError(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
        wanted_states = frozenset(state.lower().strip() for state in states)
        wanted_types = frozenset(one.lower() for one in types)

        def part(partition: int) -> Part[GroupShard]:
            return Part(
                partition,
                lambda shard: Decision(response=list(shard.listed(wanted_states, wanted_types))),
                lambda error: [],
                is_read=True,
            )

        parts = [part(partition) for partition in self._runtime.active()]
        return self._runtime.submit_all(
            parts, lambda found: finish([group for groups in found for group in groups]), ctx.now
        )

    def delete_groups(self, group_ids: Iterable[GroupId], ctx: RequestContext, finish: Finish) -> Any:
        """DeleteGroups; `finish` takes a DeletableGroupResult for each id."""

        def part(partition: int, members: tuple[GroupId, ...]) -> Part[GroupShard]:
            return Part(
                partition,
                lambda shard: shard.decide_deletion(members),
                lambda error: [DeletableGroupResult(group_id=one, error_code=error.code) for one in members],
            )

        by_partition: dict[int, list[GroupId]] = {}
        for group_id in group_ids:
            by_partition.setdefault(self.partition_for(group_id), []).append(group_id)
        parts = [part(partition, tuple(ids)) for partition, ids in by_partition.items()]
        return self._runtime.submit_all(
            parts, lambda found: finish([one for results in found for one in results]), ctx.now
        )

    # -- the runtime --------------------------------------------------------------------------------------------

    def _submit(
        self,
        group_id: str,
        decide: Callable[[GroupShard], Decision],
        ctx: RequestContext,
        finish: Finish = lambda response: response,
    ) -> Any:
        def finished(shard: GroupShard) -> Decision:
            decision = decide(shard)
            return replace(decision, response=finish(decision.response))

        return self._runtime.submit(self.partition_for(group_id), finished, ctx.now)

    def _defer(
        self, group_id: str, decide: Callable[[GroupShard, WaitingRequest], Decision], ctx: RequestContext
    ) -> Later:
        """For requests that the shard answers when it can."""
        asked, partition = WaitingRequest.of(ctx), self.partition_for(group_id)
        self._runtime.defer(partition, lambda shard: decide(shard, asked), ctx.now)
        return asked.later

    def on_time(self, now: Now) -> None:
        """End sessions and phases of rebalances whose time is over; expire offsets."""
        self._runtime.on_time(now)


def _require_id(group_id: str) -> None:
    if not group_id:
        raise KafkaError(ErrorCode.INVALID_GROUP_ID)
