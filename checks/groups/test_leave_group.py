"""LeaveGroup (key 13) removes members from a group.

**Claim** A member that leaves is removed from the group; if several leave in one request, each has its own result; a
client that is not a member is refused.
**Why it matters** The other members get its partitions at once, and not only after its session timeout.
**Kafka says** Protocol guide, LeaveGroup; KIP-345 (several members, instance ids), KIP-800 (reasons).
**Cannot see** How soon the others notice.
**Rejects** tests/plants/answers_for_the_first_alone.py, tests/plants/fences_no_instance.py,
tests/plants/hangs_up_on_an_empty_request.py, tests/plants/keeps_a_member_that_left.py,
tests/plants/refuses_what_kafka_takes.py, tests/plants/serves_groups_without_a_name.py,
tests/plants/takes_anybody_for_a_member.py, tests/plants/tells_members_that_there_is_no_group.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import all_versions, coordinated, join, stable, versions
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.heartbeat_request import HeartbeatRequest
from reference_broker.wire.messages.leave_group_request import LeaveGroupRequest, MemberIdentity
from reference_broker.wire.primitives import GroupId

pytestmark = [
    pytest.mark.feature("LeaveGroup"),
    pytest.mark.kip(345, 800),
    pytest.mark.document(
        "Protocol guide, LeaveGroup", "https://kafka.apache.org/protocol.html#The_Messages_LeaveGroup"
    ),
]


def group(exchange: Exchange) -> str:
    """The name of a new group."""
    coordinated(exchange)
    return exchange.name("readers")


def leave(version: int, name: str, *members: tuple[str, str | None]) -> LeaveGroupRequest:
    """The request with the fields that the version uses, for members given as (member id, instance id)."""
    if version >= 3:
        leaving = tuple(MemberIdentity(member_id=member, group_instance_id=instance) for member, instance in members)
        return LeaveGroupRequest(group_id=GroupId(name), members=leaving)
    return LeaveGroupRequest(group_id=GroupId(name), member_id=members[0][0])


def beat(name: str, member: str, generation: int) -> HeartbeatRequest:
    return HeartbeatRequest(group_id=GroupId(name), generation_id=generation, member_id=member)


def code(answer: object, version: int) -> int:
    """The error for the only member, from the fields that the version uses."""
    top: int = answer.error_code  # type: ignore[attr-defined]
    if version < 3 or top:
        return top
    own: int = answer.members[0].error_code  # type: ignore[attr-defined]
    return own


@all_versions(0, 5)
def test_a_member_leaves(exchange: Exchange, version: int) -> None:
    """After a member has left, its heartbeat is refused with UNKNOWN_MEMBER_ID."""
    name = group(exchange)
    member, generation = stable(exchange, name)
    answer = exchange.ask("the only member", leave(version, name, (member, None)), version)
    assert code(answer, version) == ErrorCode.NONE
    then = exchange.ask("its heartbeat then", beat(name, member, generation), 3)
    assert then.error_code == ErrorCode.UNKNOWN_MEMBER_ID


@all_versions(0, 5)
def test_an_unknown_member_is_refused(exchange: Exchange, version: int) -> None:
    """A client that is not a member is refused."""
    name = group(exchange)
    stable(exchange, name)
    answer = exchange.ask("somebody", leave(version, name, ("somebody", None)), version)

    assert code(answer, version) == ErrorCode.UNKNOWN_MEMBER_ID


@all_versions(0, 5)
def test_an_unknown_group_is_refused(exchange: Exchange, version: int) -> None:
    """Leaving a group that does not exist is refused with UNKNOWN_MEMBER_ID."""
    answer = exchange.ask("a group that is not there", leave(version, group(exchange), ("somebody", None)), version)

    assert code(answer, version) == ErrorCode.UNKNOWN_MEMBER_ID


@versions(0, 2, 3, 5)
def test_a_group_has_a_name(exchange: Exchange, version: int) -> None:
    """The empty group id is refused."""
    coordinated(exchange)
    answer = exchange.ask("a group without a name", leave(version, "", ("somebody", None)), version)

    assert code(answer, version) == ErrorCode.INVALID_GROUP_ID


@versions(3, 4, 5)
def test_several_leave_at_once(exchange: Exchange, version: int) -> None:
    """From version 3 on several members may leave in one request, each with its own result."""
    name = group(exchange)
    member, generation = stable(exchange, name)
    answer = exchange.ask(
        "the member, somebody, an unknown instance",
        leave(version, name, (member, None), ("somebody", None), ("", "i9")),
        version,
    )

    assert [one.error_code for one in answer.members] == [
        ErrorCode.NONE,
        ErrorCode.UNKNOWN_MEMBER_ID,
        ErrorCode.UNKNOWN_MEMBER_ID,
    ]
    assert exchange.quietly(beat(name, member, generation), 3).error_code == ErrorCode.UNKNOWN_MEMBER_ID


@versions(3, 5)
def test_an_instance_is_put_out_by_its_name(exchange: Exchange, version: int) -> None:
    """A static member can be removed by its instance id alone, but not with another member id; afterwards it is
    unknown."""
    name = group(exchange)
    own = exchange.quietly(join(name, group_instance_id="i1"), 7)
    answer = exchange.ask("i1 as somebody", leave(version, name, ("somebody", "i1")), version)
    assert code(answer, version) == ErrorCode.FENCED_INSTANCE_ID
    answer = exchange.ask("i1 by its instance alone", leave(version, name, ("", "i1")), version)
    assert code(answer, version) == ErrorCode.NONE
    answer = exchange.ask("i1 again", leave(version, name, (own.member_id, "i1")), version)
    assert code(answer, version) == ErrorCode.UNKNOWN_MEMBER_ID


@versions(3, 5)
def test_nobody_leaves(exchange: Exchange, version: int) -> None:
    """A request without members is answered without members."""
    name = group(exchange)
    stable(exchange, name)
    assert exchange.ask("nobody", leave(version, name), version).members == ()


def test_a_reason_may_be_given(exchange: Exchange) -> None:
    """From version 5 on a member may give a reason for leaving."""
    name = group(exchange)
    member, generation = stable(exchange, name)
    leaving = (MemberIdentity(member_id=member, reason="the end of the day"),)
    answer = exchange.ask("with a reason", LeaveGroupRequest(group_id=GroupId(name), members=leaving), 5)

    assert code(answer, 5) == ErrorCode.NONE
    assert exchange.quietly(beat(name, member, generation), 3).error_code == ErrorCode.UNKNOWN_MEMBER_ID
