"""SyncGroup (key 14) distributes the leader's assignment.

**Claim** Each member gets its own part of the leader's assignment, and only in the current generation.
**Why it matters** If a member gets the partitions of another one, records are read twice.
**Kafka says** Protocol guide, SyncGroup; KIP-345 (static members), KIP-559 (protocol type and name).
**Cannot see** What the bytes of an assignment mean.
**Rejects** tests/plants/assigns_to_who_was_left_out.py, tests/plants/fences_no_instance.py,
tests/plants/hands_out_empty_assignments.py, tests/plants/looks_at_no_generation.py,
tests/plants/refuses_assignments_to_strangers.py, tests/plants/serves_groups_without_a_name.py,
tests/plants/syncs_with_any_protocol.py, tests/plants/takes_anybody_for_a_member.py,
tests/plants/tells_members_that_there_is_no_group.py, tests/plants/tells_the_old_assignment_while_others_gather.py,
tests/plants/two_members_own_a_partition.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import all_versions, coordinated, join, joined, stable, sync, variants, versions
from reference_broker.wire.errors import ErrorCode

pytestmark = [
    pytest.mark.feature("SyncGroup"),
    pytest.mark.kip(345, 559),
    pytest.mark.document("Protocol guide, SyncGroup", "https://kafka.apache.org/protocol.html#The_Messages_SyncGroup"),
]


def group(exchange: Exchange) -> str:
    """The name of a new group."""
    coordinated(exchange)
    return exchange.name("readers")


@all_versions(0, 5)
def test_a_member_gets_its_assignment(exchange: Exchange, version: int) -> None:
    """A member gets the assignment that the leader sent for it."""
    name = group(exchange)
    member, generation = joined(exchange, name)
    answer = exchange.ask("the leader's assignment", sync(name, generation, member, {member: b"all"}), version)

    assert (answer.error_code, answer.assignment) == (ErrorCode.NONE, b"all")


@versions(0, 5)
def test_the_assignment_is_told_again(exchange: Exchange, version: int) -> None:
    """In a stable group a member that asks again gets the same assignment."""
    name = group(exchange)
    member, generation = stable(exchange, name, b"all")
    answer = exchange.ask("the member again", sync(name, generation, member), version)

    assert answer.assignment == b"all"


@versions(0, 5)
def test_who_is_not_in_the_assignment_gets_nothing(exchange: Exchange, version: int) -> None:
    """A member to which nothing is assigned gets an empty assignment."""
    name = group(exchange)
    member, generation = joined(exchange, name)
    answer = exchange.ask("an assignment to nobody", sync(name, generation, member, {}), version)
    assert (answer.error_code, answer.assignment) == (ErrorCode.NONE, b"")


@versions(0, 5)
def test_an_assignment_to_a_stranger(exchange: Exchange, version: int) -> None:
    """An assignment for an unknown member is ignored."""
    name = group(exchange)
    member, generation = joined(exchange, name)
    answer = exchange.ask(
        "an assignment to a stranger too", sync(name, generation, member, {member: b"x", "stranger": b"y"}), version
    )
    assert (answer.error_code, answer.assignment) == (ErrorCode.NONE, b"x")


def test_a_follower_waits_for_the_leader(exchange: Exchange) -> None:
    """A follower is answered once the leader has sent its assignment, and each member gets its own part."""
    name = group(exchange)
    leader, _ = stable(exchange, name)
    pending = exchange.start("a second member", join(name), 3)
    assert not pending.is_answered(0.15)
    exchange.ask("the leader again", join(name, leader), 3)
    follower = pending.answer().member_id
    waiting = exchange.start("the follower's part", sync(name, 2, follower), 3)
    assert not waiting.is_answered(0.15)
    answer = exchange.ask("the leader's assignment", sync(name, 2, leader, {leader: b"l", follower: b"f"}), 3)
    assert (answer.assignment, waiting.answer().assignment) == (b"l", b"f")


@variants("generation", old=0, new=2, none=-1)
@versions(0, 5)
def test_another_generation_is_refused(exchange: Exchange, version: int, generation: int) -> None:
    """A request of another generation is refused."""
    name = group(exchange)
    member, _ = stable(exchange, name)
    answer = exchange.ask(f"generation {generation} where 1 is", sync(name, generation, member), version)

    assert answer.error_code == ErrorCode.ILLEGAL_GENERATION


@versions(0, 3, 5)
def test_an_unknown_member_is_refused(exchange: Exchange, version: int) -> None:
    """A client that is not a member is refused."""
    name = group(exchange)
    stable(exchange, name)
    answer = exchange.ask("somebody", sync(name, 1, "somebody"), version)

    assert answer.error_code == ErrorCode.UNKNOWN_MEMBER_ID


@versions(0, 3, 5)
def test_an_unknown_group_is_refused(exchange: Exchange, version: int) -> None:
    """A request for a group that does not exist is refused with UNKNOWN_MEMBER_ID."""
    answer = exchange.ask("a group that is not there", sync(group(exchange), 1, "somebody"), version)

    assert answer.error_code == ErrorCode.UNKNOWN_MEMBER_ID


@versions(0, 5)
def test_a_group_has_a_name(exchange: Exchange, version: int) -> None:
    """The empty group id is refused."""
    coordinated(exchange)
    answer = exchange.ask("a group without a name", sync("", 1, "somebody"), version)

    assert answer.error_code == ErrorCode.INVALID_GROUP_ID


@variants(
    "more",
    another_type={"protocol_type": "connect"},
    another_name={"protocol_name": "sticky"},
    no_type={"protocol_type": None},
    no_name={"protocol_name": None},
)
def test_the_protocol_is_the_groups(exchange: Exchange, more: dict[str, str | None]) -> None:
    """From version 5 on a request names a protocol type and a protocol, which must be the group's."""
    name = group(exchange)
    member, generation = joined(exchange, name)
    answer = exchange.ask(f"{more}", sync(name, generation, member, {member: b"all"}, **more), 5)

    assert answer.error_code == ErrorCode.INCONSISTENT_GROUP_PROTOCOL


@versions(3, 5)
def test_an_instance_with_another_member_id_is_fenced(exchange: Exchange, version: int) -> None:
    """A static member gets its assignment with its current member id; with another member id it is fenced."""
    name = group(exchange)
    own = exchange.quietly(join(name, group_instance_id="i1"), 7)
    for words, member, instance, code in (
        ("i1 as somebody", "somebody", "i1", ErrorCode.FENCED_INSTANCE_ID),
        ("i2, which never joined", own.member_id, "i2", ErrorCode.UNKNOWN_MEMBER_ID),
        ("i1 itself", own.member_id, "i1", ErrorCode.NONE),
    ):
        request = sync(name, 1, member, {own.member_id: b"all"}, group_instance_id=instance)
        assert exchange.ask(words, request, version).error_code == code


@versions(0, 3, 5)
def test_a_group_that_waits_for_members_assigns_nothing(exchange: Exchange, version: int) -> None:
    """During a rebalance the assignment of the old generation is not returned."""
    name = group(exchange)
    member, generation = stable(exchange, name)
    pending = exchange.start("a second member", join(name), 3)
    assert not pending.is_answered(0.15)
    answer = exchange.ask("the first in the old generation", sync(name, generation, member), version)
    assert answer.error_code == ErrorCode.REBALANCE_IN_PROGRESS
