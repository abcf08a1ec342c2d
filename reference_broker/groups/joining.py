"""JoinGroup: who may come in, under which id, and whether that begins a rebalance.

Source: Kafka protocol guide; KIP-394 (member ids given out first), KIP-345 (static members), KIP-814 (skip assignment).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from reference_broker.coordinator.shard import NOTHING, Decision, ShardServices
from reference_broker.environment import Now, Random
from reference_broker.groups.answers import join_refused, joined, joined_as_is, sync_refused
from reference_broker.groups.classic_group import ClassicGroup, State
from reference_broker.groups.member import Member, protocols_of
from reference_broker.groups.rebalance import NEW_MEMBER_TIMEOUT_MS, Groups, Rebalance
from reference_broker.groups.records import group_record, new_group_record
from reference_broker.groups.request import WaitingRequest
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.join_group_request import JoinGroupRequest
from reference_broker.wire.refusal import KafkaError

MEMBER_ID_FIRST_SINCE: Final = 4
SKIP_ASSIGNMENT_SINCE: Final = 9


class Joining:
    """JoinGroup for all groups of a shard. Every answer completes the request's `later`, at once or in time."""

    def __init__(
        self,
        groups: Groups,
        rebalance: Rebalance,
        services: ShardServices,
        config: Callable[[], BrokerConfig],
        random: Random,
    ) -> None:
        self._groups, self._rebalance, self._answer = groups, rebalance, services.answer
        self._config, self._random = config, random

    def decide(self, request: JoinGroupRequest, ctx: WaitingRequest) -> Decision:
        """Take a client in, or refuse it. A group that is new is written first, even where nobody comes in then."""
        group = self._groups.get(request.group_id)
        if group is not None:
            return self._join(group, request, ctx)
        if request.member_id:
            self._refuse(ctx, ErrorCode.UNKNOWN_MEMBER_ID, request.member_id)
            return NOTHING
        record = new_group_record(ClassicGroup(request.group_id, ctx.now.wall_ms))
        return Decision((record,), then=lambda now: self._join(self._groups[request.group_id], request, ctx))

    def _refuse(self, ctx: WaitingRequest, code: ErrorCode, member_id: str) -> None:
        self._answer(ctx.later, join_refused(ctx.api_version, code, member_id))

    def _join(self, group: ClassicGroup, request: JoinGroupRequest, ctx: WaitingRequest) -> Decision:
        member_id = request.member_id
        if not self._has_room(group, member_id):
            group.remove(member_id)
            self._refuse(ctx, ErrorCode.GROUP_MAX_SIZE_REACHED, "")
            return NOTHING
        if not group.can_speak(request.protocol_type, protocols_of(request.protocols)):
            self._refuse(ctx, ErrorCode.INCONSISTENT_GROUP_PROTOCOL, member_id)
            return NOTHING
        return self._join_again(group, request, ctx) if member_id else self._join_anew(group, request, ctx)

    def _has_room(self, group: ClassicGroup, member_id: str) -> bool:
        limit = self._config().number("group.max.size")
        member = group.members.get(member_id)
        if group.state is State.PREPARING:
            return (member is not None and member.joining is not None) or group.joining_count < limit
        return group.is_in(State.EMPTY, State.DEAD) or member is not None or len(group.members) < limit

    # -- clients without a member id ----------------------------------------------------------------------------

    def _join_anew(self, group: ClassicGroup, request: JoinGroupRequest, ctx: WaitingRequest) -> Decision:
        instance_id = request.group_instance_id
        raw = bytearray(self._random.randbytes(16))
        raw[6], raw[8] = raw[6] & 0x0F | 0x40, raw[8] & 0x3F | 0x80
        text = raw.hex()
        uuid = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
        member_id = f"{(ctx.client_id or '') if instance_id is None else instance_id}-{uuid}"
        if instance_id is not None:
            if instance_id in group.static_members:
                return self._replace_static(group, instance_id, member_id, request, ctx)
        elif ctx.api_version >= MEMBER_ID_FIRST_SINCE:
            self._rebalance.await_pending(group, member_id, request.session_timeout_ms, ctx.now)
            self._refuse(ctx, ErrorCode.MEMBER_ID_REQUIRED, member_id)
            return NOTHING
        return self._take_in(group, member_id, request, ctx)

    def _take_in(self, group: ClassicGroup, member_id: str, request: JoinGroupRequest, ctx: WaitingRequest) -> Decision:
        member = Member(
            id=member_id,
            instance_id=request.group_instance_id,
            client_id=ctx.client_id or "",
            client_host=f"/{ctx.client_host}",
            rebalance_timeout_ms=request.rebalance_timeout_ms,
            session_timeout_ms=request.session_timeout_ms,
            protocol_type=request.protocol_type,
            protocols=protocols_of(request.protocols),
            joining=ctx,
            is_new=True,
        )
        if group.state is State.PREPARING and group.previous_state is State.EMPTY:
            group.has_new_member = True
        group.add(member)
        self._rebalance.renew_session(group, member, ctx.now, NEW_MEMBER_TIMEOUT_MS)
        return self._rebalance.begin_or_go_on(group, ctx.now)

    def _replace_static(
        self, group: ClassicGroup, instance_id: str, member_id: str, request: JoinGroupRequest, ctx: WaitingRequest
    ) -> Decision:
        """A static member is back under a new id. Its place is kept; in a stable group nobody else notices."""
        old_id, old_leader = group.static_members[instance_id], group.leader
        member = group.members[old_id]
        self._rebalance.refuse_join(group, member, ErrorCode.FENCED_INSTANCE_ID, old_id)
        self._rebalance.answer_sync(member, sync_refused(ErrorCode.FENCED_INSTANCE_ID))
        before = (member.protocols, member.rebalance_timeout_ms, member.session_timeout_ms)
        member = group.rename_static(instance_id, member_id)
        self._rebalance.renew_session(group, member, ctx.now)
        self._update(group, member, request, ctx)
        if group.state is State.COMPLETING:
            return self._rebalance.prepare(group, ctx.now)
        if group.state is not State.STABLE:
            return self._rebalance.complete_join_if_possible(group, ctx.now)
        if (group.protocol_name or "") != group.choose_protocol():
            return self._rebalance.begin_or_go_on(group, ctx.now)

        def settle(code: ErrorCode, now: Now) -> Decision:
            version = ctx.api_version
            is_there = self._groups.get(group.id) is group and group.static_members.get(instance_id) == member_id
            if not is_there or group.state is not State.STABLE:
                # It was replaced again, has left, or takes part in a rebalance, which will answer it.
                return NOTHING
            if code is not ErrorCode.NONE:
                self._rebalance.refuse_join(group, member, code)
                group.update(member, *before)
                self._rebalance.renew_session(group, group.rename_static(instance_id, old_id), now)
            elif version >= SKIP_ASSIGNMENT_SINCE:
                is_leader = group.leader == member_id
                members = group.joined_members() if is_leader else ()
                answer = joined(version, group, member_id, members=members, skip_assignment=is_leader)
                self._rebalance.answer_join(group, member, answer)
            else:
                # An old client must not take itself for the leader, so it hears the leader's former id.
                answer = joined(version, group, member_id, leader=old_leader)
                self._rebalance.answer_join(group, member, answer)
            return NOTHING

        assignments = {one.id: one.assignment for one in group.members.values()}
        return Decision((group_record(group, assignments),), settle=settle)

    # -- clients with a member id -------------------------------------------------------------------------------

    def _join_again(self, group: ClassicGroup, request: JoinGroupRequest, ctx: WaitingRequest) -> Decision:
        member_id = request.member_id
        if member_id in group.pending_joins:
            if request.group_instance_id is not None:
                raise KafkaError(
                    ErrorCode.UNKNOWN_SERVER_ERROR,
                    f"member id {member_id} was given to a dynamic member, and comes back with an instance id",
                )
            return self._take_in(group, member_id, request, ctx)
        try:
            group.require_member(member_id, request.group_instance_id)
        except KafkaError as error:
            self._refuse(ctx, error.code, member_id)
            return NOTHING
        member = group.members[member_id]
        has_news = member.protocols != protocols_of(request.protocols)
        if group.state is State.EMPTY:
            self._refuse(ctx, ErrorCode.UNKNOWN_MEMBER_ID, member_id)
            return NOTHING
        leads_stable = group.state is State.STABLE and group.leader == member_id
        if group.state is State.PREPARING or has_news or leads_stable:
            self._update(group, member, request, ctx)
            return self._rebalance.begin_or_go_on(group, ctx.now)
        self._answer(ctx.later, joined_as_is(ctx.api_version, group, member))
        return NOTHING

    def _update(self, group: ClassicGroup, member: Member, request: JoinGroupRequest, asked: WaitingRequest) -> None:
        group.update(member, protocols_of(request.protocols), request.rebalance_timeout_ms, request.session_timeout_ms)
        if member.joining is None:
            group.joining_count += 1
        member.joining = asked
