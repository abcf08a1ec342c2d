"""DescribeGroups (key 15) describes groups: their state and their members.

**Claim** A group is described with its state, its protocol, and its members with their metadata and assignments; each
group of a request has its own result; a group that does not exist has the state Dead.
**Why it matters** Operators look here when a consumer does not make progress.
**Kafka says** Protocol guide, DescribeGroups; KIP-430 (operations), KIP-345 (instances), KIP-1043 (unknown groups).
**Cannot see** Groups of the consumer protocol of KIP-848.
**Rejects** tests/plants/answers_for_the_first_alone.py, tests/plants/forgets_what_members_said.py,
tests/plants/hangs_up_on_an_empty_request.py, tests/plants/makes_groups_by_asking.py,
tests/plants/takes_static_members_for_dynamic.py, tests/plants/tells_every_group_as_stable.py,
tests/plants/tells_of_no_operations.py, tests/plants/waits_for_nobody.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import (
    all_versions,
    commit,
    coordinated,
    join,
    joined,
    stable,
    subscription,
    sync,
    versions,
)
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_groups_request import DescribeGroupsRequest
from reference_broker.wire.messages.leave_group_request import LeaveGroupRequest, MemberIdentity
from reference_broker.wire.primitives import GroupId

pytestmark = [
    pytest.mark.feature("DescribeGroups"),
    pytest.mark.kip(430, 345, 1043),
    pytest.mark.document(
        "Protocol guide, DescribeGroups", "https://kafka.apache.org/protocol.html#The_Messages_DescribeGroups"
    ),
]

READ, DELETE, DESCRIBE = 3, 6, 8
"""Operations by their number in `authorized_operations` (KIP-430)."""
NOT_ASKED = -(2**31)


def group(exchange: Exchange, label: str = "readers") -> str:
    """The name of a new group."""
    coordinated(exchange)
    return exchange.name(label)


def request(*names: str, operations: bool = False) -> DescribeGroupsRequest:
    return DescribeGroupsRequest(groups=tuple(map(GroupId, names)), include_authorized_operations=operations)


@all_versions(0, 6)
def test_a_stable_group_is_described(exchange: Exchange, version: int) -> None:
    """A stable group is described with its protocol, and each member with its metadata and assignment."""
    name = group(exchange)
    member, _ = stable(exchange, name, b"all")
    answer = exchange.ask("a stable group of one", request(name), version)

    (found,) = answer.groups
    assert (found.error_code, found.group_state) == (ErrorCode.NONE, "Stable")
    assert (found.protocol_type, found.protocol_data) == ("consumer", "range")
    told = [(one.member_id, one.client_id, one.member_metadata, one.member_assignment) for one in found.members]
    assert told == [(member, "exchange", subscription("orders"), b"all")]


@versions(0, 4, 6)
def test_a_group_before_its_assignment(exchange: Exchange, version: int) -> None:
    """While members wait for the leader's assignment, they are described without metadata and assignments."""
    name = group(exchange)
    joined(exchange, name)
    # Until 4.2 a new group is written, and so described, a few milliseconds after its first member was answered.
    for _ in exchange.patience(2):
        if exchange.quietly(request(name), version).groups[0].group_state != "Dead":
            break
    answer = exchange.ask("a group that waits for its leader", request(name), version)

    (found,) = answer.groups
    assert found.group_state == "CompletingRebalance"
    assert [(one.member_metadata, one.member_assignment) for one in found.members] == [(b"", b"")]


@versions(0, 6)
def test_a_group_that_gathers(exchange: Exchange, version: int) -> None:
    """A group that rebalances has the state PreparingRebalance, and its old and new members are listed."""
    name = group(exchange)
    stable(exchange, name)
    pending = exchange.start("a second member", join(name), 3)
    assert not pending.is_answered(0.15)
    answer = exchange.ask("a group that gathers", request(name), version)

    assert (answer.groups[0].group_state, len(answer.groups[0].members)) == ("PreparingRebalance", 2)


@versions(0, 6)
def test_a_group_that_was_left(exchange: Exchange, version: int) -> None:
    """A group that all members have left has the state Empty."""
    name = group(exchange)
    member, _ = stable(exchange, name)
    leaving = LeaveGroupRequest(group_id=GroupId(name), members=(MemberIdentity(member_id=member),))
    exchange.quietly(leaving, 3)
    answer = exchange.ask("a group that all have left", request(name), version)

    assert (answer.groups[0].group_state, answer.groups[0].members) == ("Empty", ())


@versions(0, 6)
def test_a_group_of_offsets_alone(exchange: Exchange, version: int) -> None:
    """A group that has committed offsets and never had members has the state Empty and no protocol type."""
    name = group(exchange)
    exchange.quietly(commit(name, exchange.topic(), 5), 7)
    answer = exchange.ask("a group of offsets alone", request(name), version)

    assert (answer.groups[0].group_state, answer.groups[0].protocol_type) == ("Empty", "")


@versions(4, 5, 6)
def test_instances_are_told(exchange: Exchange, version: int) -> None:
    """From version 4 on the answer has a static member's instance id."""
    name = group(exchange)
    own = exchange.quietly(join(name, group_instance_id="i1"), 7)
    exchange.quietly(sync(name, 1, own.member_id, {own.member_id: b"all"}), 3)
    answer = exchange.ask("a group with an instance", request(name), version)

    assert [one.group_instance_id for one in answer.groups[0].members] == ["i1"]


@all_versions(0, 6)
def test_an_unknown_group_is_dead(exchange: Exchange, version: int) -> None:
    """A group that does not exist has the state Dead; from version 6 on also the error GROUP_ID_NOT_FOUND."""
    answer = exchange.ask("a group that is not there", request(group(exchange)), version)

    assert answer.groups[0].group_state == "Dead"
    assert answer.groups[0].error_code == (ErrorCode.GROUP_ID_NOT_FOUND if version >= 6 else ErrorCode.NONE)


@versions(0, 6)
def test_the_empty_name(exchange: Exchange, version: int) -> None:
    """The empty group id is answered like that of any group that does not exist."""
    exchange.turn_to_coordinator("")
    coordinated(exchange)
    (found,) = exchange.ask("a group without a name", request(""), version).groups

    expected = ErrorCode.GROUP_ID_NOT_FOUND if version >= 6 else ErrorCode.NONE
    assert (found.group_state, found.error_code) == ("Dead", expected)


@versions(3, 5, 6)
def test_operations_are_told_when_asked(exchange: Exchange, version: int) -> None:
    """From version 3 on the answer contains the client's authorized operations, if the request asks for them."""
    name = group(exchange)
    stable(exchange, name)
    answer = exchange.ask("a group and what may be done with it", request(name, operations=True), version)

    may_do = answer.groups[0].authorized_operations
    assert [number for number in (READ, DELETE, DESCRIBE) if may_do & 1 << number] == [READ, DELETE, DESCRIBE]
    assert exchange.quietly(request(name), version).groups[0].authorized_operations == NOT_ASKED


@versions(0, 5, 6)
def test_several_groups(exchange: Exchange, version: int) -> None:
    """Each group of a request has its own result."""
    known, unknown = group(exchange, "known"), group(exchange, "unknown")
    stable(exchange, known)
    answer = exchange.ask("a group that is there and one that is not", request(known, unknown), version)

    assert {one.group_id: one.group_state for one in answer.groups} == {known: "Stable", unknown: "Dead"}


@versions(0, 6)
def test_no_groups_get_an_empty_answer(exchange: Exchange, version: int) -> None:
    """A request without groups is answered without groups."""
    assert exchange.ask("no groups", request(), version).groups == ()


def test_a_group_named_twice(exchange: Exchange) -> None:
    """A group that is named twice is in the answer twice."""
    name = group(exchange)
    stable(exchange, name)
    answer = exchange.ask("one group twice", request(name, name), 5)

    assert [(one.group_id, one.group_state) for one in answer.groups] == [(name, "Stable")] * 2
