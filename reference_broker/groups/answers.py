"""Answers to JoinGroup and SyncGroup, which may be given long after the question."""

from __future__ import annotations

from reference_broker.groups.classic_group import ClassicGroup
from reference_broker.groups.member import Member
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.join_group_response import JoinGroupResponse, JoinGroupResponseMember
from reference_broker.wire.messages.sync_group_response import SyncGroupResponse

NULLABLE_NAME_SINCE = 7


def join_refused(version: int, code: ErrorCode, member_id: str = "") -> JoinGroupResponse:
    """A JoinGroup that did not work; no protocol is an empty name before version 7."""
    return JoinGroupResponse(
        error_code=code, member_id=member_id, protocol_name=None if version >= NULLABLE_NAME_SINCE else ""
    )


def joined(
    version: int,
    group: ClassicGroup,
    member_id: str,
    *,
    members: tuple[JoinGroupResponseMember, ...] = (),
    leader: str | None = None,
    skip_assignment: bool = False,
) -> JoinGroupResponse:
    """A member's place in the present generation; `leader` stands in for the group's own where it is given."""
    name = group.protocol_name or None
    return JoinGroupResponse(
        generation_id=group.generation,
        protocol_type=group.protocol_type,
        protocol_name=name if version >= NULLABLE_NAME_SINCE else name or "",
        leader=leader or group.leader or "",
        skip_assignment=skip_assignment,
        member_id=member_id,
        members=members,
    )


def joined_as_is(version: int, group: ClassicGroup, member: Member) -> JoinGroupResponse:
    """A member's place where nothing changes; the leader learns of all members."""
    return joined(version, group, member.id, members=group.joined_members() if group.leader == member.id else ())


def sync_refused(code: ErrorCode) -> SyncGroupResponse:
    """A SyncGroup that did not work."""
    return SyncGroupResponse(error_code=code)


def synced(group: ClassicGroup, member: Member) -> SyncGroupResponse:
    """A member's assignment."""
    return SyncGroupResponse(
        protocol_type=group.protocol_type, protocol_name=group.protocol_name, assignment=member.assignment
    )
