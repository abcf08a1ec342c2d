"""SyncGroup, Heartbeat and LeaveGroup: what those do who are in a group. Source: Kafka protocol guide; KIP-345."""

from __future__ import annotations

from reference_broker.coordinator.shard import NOTHING, Decision, ShardServices
from reference_broker.groups.answers import sync_refused, synced
from reference_broker.groups.classic_group import ClassicGroup, State
from reference_broker.groups.rebalance import Groups, Rebalance
from reference_broker.groups.request import RequestContext, WaitingRequest
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.heartbeat_request import HeartbeatRequest
from reference_broker.wire.messages.heartbeat_response import HeartbeatResponse
from reference_broker.wire.messages.leave_group_request import LeaveGroupRequest, MemberIdentity
from reference_broker.wire.messages.leave_group_response import LeaveGroupResponse, MemberResponse
from reference_broker.wire.messages.sync_group_request import SyncGroupRequest
from reference_broker.wire.refusal import KafkaError


class Membership:
    """The requests of members, for all groups of a shard."""

    def __init__(self, groups: Groups, rebalance: Rebalance, services: ShardServices) -> None:
        self._groups, self._rebalance, self._answer = groups, rebalance, services.answer

    # -- SyncGroup ----------------------------------------------------------------------------------------------

    def decide_sync(self, request: SyncGroupRequest, ctx: WaitingRequest) -> Decision:
        """Take the leader's assignment; give every member its own. The answer completes the request's `later`."""
        try:
            return self._sync(self._group_to_sync(request), request, ctx)
        except KafkaError as error:
            self._answer(ctx.later, sync_refused(error.code))
            return NOTHING

    def _group_to_sync(self, request: SyncGroupRequest) -> ClassicGroup:
        group = self._groups.get(request.group_id)
        if group is None or group.state is State.EMPTY:
            raise KafkaError(ErrorCode.UNKNOWN_MEMBER_ID)
        group.require_member(request.member_id, request.group_instance_id)
        if request.generation_id != group.generation:
            raise KafkaError(ErrorCode.ILLEGAL_GENERATION)
        for asked, agreed in (
            (request.protocol_type, group.protocol_type),
            (request.protocol_name, group.protocol_name),
        ):
            if asked is not None and agreed is not None and asked != agreed:
                raise KafkaError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
        if group.state is State.PREPARING:
            raise KafkaError(ErrorCode.REBALANCE_IN_PROGRESS)
        return group

    def _sync(self, group: ClassicGroup, request: SyncGroupRequest, ctx: WaitingRequest) -> Decision:
        member = group.members[request.member_id]
        self._rebalance.note_sync(group, member.id)
        if group.state is State.STABLE:
            self._answer(ctx.later, synced(group, member))
            return NOTHING
        member.syncing = ctx
        if group.leader != member.id:
            return NOTHING
        assignments = {one.member_id: one.assignment for one in request.assignments}
        return self._rebalance.assign(group, assignments)

    # -- Heartbeat ----------------------------------------------------------------------------------------------

    def decide_heartbeat(self, request: HeartbeatRequest, ctx: RequestContext) -> Decision:
        """Prolong a member's session. REBALANCE_IN_PROGRESS tells it to join again, and prolongs all the same."""
        group = self._groups.get(request.group_id)
        if group is None:
            raise KafkaError(ErrorCode.UNKNOWN_MEMBER_ID)
        group.require_member(request.member_id, request.group_instance_id)
        if request.generation_id != group.generation:
            raise KafkaError(ErrorCode.ILLEGAL_GENERATION)
        self._rebalance.renew_session(group, group.members[request.member_id], ctx.now)
        code = ErrorCode.REBALANCE_IN_PROGRESS if group.state is State.PREPARING else ErrorCode.NONE
        return Decision(response=HeartbeatResponse(error_code=code))

    # -- LeaveGroup ---------------------------------------------------------------------------------------------

    def decide_leave(self, request: LeaveGroupRequest, ctx: RequestContext) -> Decision:
        """Members go, each with its own result; the others rebalance."""
        group = self._groups.get(request.group_id)
        if group is None:
            return Decision(
                response=LeaveGroupResponse(
                    members=tuple(_left(identity, ErrorCode.UNKNOWN_MEMBER_ID) for identity in request.members)
                )
            )
        results = tuple(self._leave(group, identity) for identity in request.members)
        decision = NOTHING
        if any(result.error_code == ErrorCode.NONE for result in results):
            if group.is_in(State.STABLE, State.COMPLETING):
                decision = self._rebalance.prepare(group, ctx.now)
            elif group.state is State.PREPARING:
                decision = self._rebalance.complete_join_if_possible(group, ctx.now)
        return Decision(decision.records, LeaveGroupResponse(members=results), decision.settle)

    def _leave(self, group: ClassicGroup, identity: MemberIdentity) -> MemberResponse:
        member_id = identity.member_id
        if not member_id:
            instance_id = identity.group_instance_id
            member_id = "" if instance_id is None else group.static_members.get(instance_id, "")
            if not member_id:
                return _left(identity, ErrorCode.UNKNOWN_MEMBER_ID)
        elif member_id not in group.pending_joins:
            try:
                group.require_member(member_id, identity.group_instance_id)
            except KafkaError as error:
                return _left(identity, error.code)
        self._rebalance.end_sessions(group, member_id)
        member = group.members.get(member_id)
        if member is not None:
            self._rebalance.refuse_join(group, member, ErrorCode.UNKNOWN_MEMBER_ID)
        group.remove(member_id)
        return _left(identity, ErrorCode.NONE)


def _left(identity: MemberIdentity, code: ErrorCode) -> MemberResponse:
    return MemberResponse(member_id=identity.member_id, group_instance_id=identity.group_instance_id, error_code=code)
