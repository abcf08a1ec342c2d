"""JoinGroup (key 11) makes a consumer a member of a group.

**Claim** Members of a group agree on a generation, a protocol and a leader; an invalid member is refused; a static
member that rejoins keeps its generation and its assignment.
**Why it matters** A group whose members disagree reads records twice or not at all.
**Kafka says** Protocol guide, JoinGroup; KIP-62 (timeouts), KIP-345 (static members), KIP-394 (member ids), KIP-559
(protocol type), KIP-800 (reasons), KIP-814 (leaders that rejoin).
**Cannot see** Clients' own assignment of partitions.
**Rejects** tests/plants/begins_a_generation_with_every_join.py, tests/plants/gives_no_member_ids_first.py,
tests/plants/keeps_the_generation_when_the_leader_joins.py, tests/plants/lets_in_who_names_itself.py,
tests/plants/refuses_what_kafka_takes.py, tests/plants/serves_groups_without_a_name.py,
tests/plants/takes_any_protocol.py, tests/plants/takes_any_session_timeout.py,
tests/plants/takes_static_members_for_dynamic.py, tests/plants/takes_the_leaders_favourite_protocol.py,
tests/plants/tells_the_leader_of_nobody.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import (
    all_versions,
    coordinated,
    join,
    stable,
    subscription,
    sync,
    variants,
    versions,
)
from reference_broker.wire.errors import ErrorCode

pytestmark = [
    pytest.mark.feature("JoinGroup"),
    pytest.mark.kip(62, 345, 394, 559, 800, 814),
    pytest.mark.document("Protocol guide, JoinGroup", "https://kafka.apache.org/protocol.html#The_Messages_JoinGroup"),
]

FIRST, SECOND = subscription("orders", user_data=b"first"), subscription("orders", user_data=b"second")


def numbered(number: int) -> bytes:
    return subscription("orders", user_data=str(number).encode())


def group(exchange: Exchange) -> str:
    """The name of a new group."""
    coordinated(exchange)
    return exchange.name("readers")


@all_versions(0, 3)
def test_a_member_joins(exchange: Exchange, version: int) -> None:
    """The first member becomes the leader, and gets the list of all members."""
    answer = exchange.ask("the first member", join(group(exchange)), version)

    assert (answer.error_code, answer.generation_id, answer.leader) == (ErrorCode.NONE, 1, answer.member_id)
    assert [one.member_id for one in answer.members] == [answer.member_id]


@all_versions(4, 9)
def test_a_member_is_given_an_id_first(exchange: Exchange, version: int) -> None:
    """From version 4 on a new member first gets a member id, and then joins with it."""
    name = group(exchange)
    answer = exchange.ask("a new member without an id", join(name), version)
    assert (answer.error_code, answer.generation_id) == (ErrorCode.MEMBER_ID_REQUIRED, -1)
    assert answer.member_id.startswith("exchange-")
    answer = exchange.ask("the same with the id", join(name, answer.member_id), version)
    assert (answer.error_code, answer.generation_id) == (ErrorCode.NONE, 1)


@all_versions(5, 9)
def test_a_static_member_joins_at_once(exchange: Exchange, version: int) -> None:
    """A static member, which has an instance id, joins without getting a member id first."""
    answer = exchange.ask("instance i1", join(group(exchange), group_instance_id="i1"), version)

    assert (answer.error_code, answer.generation_id) == (ErrorCode.NONE, 1)
    assert answer.member_id.startswith("i1-")


@versions(0, 5, 9)
def test_a_group_has_a_name(exchange: Exchange, version: int) -> None:
    """The empty group id is refused."""
    coordinated(exchange)
    answer = exchange.ask("a group without a name", join(""), version)

    assert answer.error_code == ErrorCode.INVALID_GROUP_ID


@pytest.mark.parametrize("timeout_ms", [5_999, 1_800_001, 0, -1])
@versions(0, 5, 9)
def test_a_session_timeout_is_in_its_range(exchange: Exchange, version: int, timeout_ms: int) -> None:
    """A session timeout below 6 seconds or above 30 minutes is refused."""
    answer = exchange.ask(
        f"a session of {timeout_ms} ms", join(group(exchange), session_timeout_ms=timeout_ms), version
    )

    assert answer.error_code == ErrorCode.INVALID_SESSION_TIMEOUT


@versions(0, 3, 5, 9)
def test_an_unknown_member_is_refused(exchange: Exchange, version: int) -> None:
    """A member id that the coordinator did not assign is refused."""
    answer = exchange.ask("a member id of its own making", join(group(exchange), "somebody"), version)

    assert answer.error_code == ErrorCode.UNKNOWN_MEMBER_ID


@versions(0, 5, 9)
def test_a_member_has_protocols(exchange: Exchange, version: int) -> None:
    """A member without protocols, or without a protocol type, is refused."""
    for words, request in (
        ("no protocols", join(group(exchange), protocols={})),
        ("no protocol type", join(group(exchange), protocol_type="")),
    ):
        answer = exchange.ask(words, request, version)
        assert answer.error_code == ErrorCode.INCONSISTENT_GROUP_PROTOCOL


@versions(3, 9)
def test_members_share_a_protocol(exchange: Exchange, version: int) -> None:
    """A member that has no protocol in common with the others, or has another protocol type, is refused."""
    name = group(exchange)
    stable(exchange, name)
    for words, more in (
        ("another protocol", {"protocols": {"other": FIRST}}),
        ("another type", {"protocol_type": "connect"}),
    ):
        answer = exchange.ask(words, join(name, **more), version)
        assert answer.error_code == ErrorCode.INCONSISTENT_GROUP_PROTOCOL


def test_two_members_agree(exchange: Exchange) -> None:
    """Both members get the same generation, protocol and leader; only the leader gets the members and their
    metadata."""
    name = group(exchange)
    first, _ = stable(exchange, name, protocols={"range": FIRST, "sticky": FIRST})
    pending = exchange.start("a second member", join(name, protocols={"sticky": SECOND, "range": SECOND}), 3)
    assert not pending.is_answered(0.2), "the second member waits for the first to join again"
    answer = exchange.ask("the first again", join(name, first, protocols={"range": FIRST, "sticky": FIRST}), 3)
    second = pending.answer()
    assert (answer.generation_id, second.generation_id) == (2, 2)
    assert answer.leader == second.leader == first
    assert answer.protocol_name == second.protocol_name
    assert answer.protocol_name in ("range", "sticky")
    assert {one.member_id: one.metadata for one in answer.members} == {first: FIRST, second.member_id: SECOND}
    assert second.members == ()


def test_the_protocol_with_most_votes_is_chosen(exchange: Exchange) -> None:
    """Each member votes for the first of its protocols that all members support; the one with most votes is chosen."""
    name = group(exchange)
    first, _ = stable(exchange, name, protocols={"a": FIRST, "b": FIRST})
    others = [
        exchange.start(
            f"member {number}, which prefers b", join(name, protocols=dict.fromkeys("ba", numbered(number))), 3
        )
        for number in (2, 3)
    ]
    for other in others:
        assert not other.is_answered(0.15)
    answer = exchange.ask("the first, which prefers a", join(name, first, protocols={"a": FIRST, "b": FIRST}), 3)
    assert answer.protocol_name == "b"
    told = [other.answer() for other in others]
    assert [(one.generation_id, one.protocol_name) for one in told] == [(answer.generation_id, "b")] * 2


@versions(3, 7, 9)
def test_a_leader_that_joins_again_begins_a_generation(exchange: Exchange, version: int) -> None:
    """When the leader joins again with unchanged metadata, a new generation begins: it may want to assign again."""
    name = group(exchange)
    member, generation = stable(exchange, name)
    answer = exchange.ask("the leader again, unchanged", join(name, member), version)

    assert (answer.error_code, answer.generation_id) == (ErrorCode.NONE, generation + 1)


@versions(3, 7, 9)
def test_a_follower_that_joins_again_unchanged_stays(exchange: Exchange, version: int) -> None:
    """A follower that joins again with unchanged metadata is answered at once with the current generation."""
    name = group(exchange)
    leader, _ = stable(exchange, name)
    pending = exchange.start("a second member", join(name), 3)
    assert not pending.is_answered(0.15)
    generation = exchange.ask("the leader again", join(name, leader), 3).generation_id
    follower = pending.answer().member_id
    assignments = {leader: b"l", follower: b"f"}
    exchange.ask("the leader's assignment", sync(name, generation, leader, assignments), 3)
    answer = exchange.ask("the follower again, unchanged", join(name, follower), version)

    told = (answer.error_code, answer.generation_id, answer.member_id, answer.leader)
    assert told == (ErrorCode.NONE, generation, follower, leader)


@versions(5, 7, 8, 9)
def test_an_instance_that_comes_back_takes_its_place(exchange: Exchange, version: int) -> None:
    """A static member that rejoins gets a new member id, and keeps its generation and assignment; its old member id is
    fenced."""
    name = group(exchange)
    first = exchange.ask("instance i1", join(name, group_instance_id="i1"), version)
    synced = sync(name, 1, first.member_id, {first.member_id: b"all"}, group_instance_id="i1")
    exchange.ask("its assignment", synced, 5)
    again = exchange.ask("instance i1 without its member id", join(name, group_instance_id="i1"), version)
    assert again.member_id != first.member_id
    assert (again.error_code, again.generation_id) == (ErrorCode.NONE, first.generation_id)
    part = exchange.quietly(sync(name, 1, again.member_id, group_instance_id="i1"), 5)
    assert (part.error_code, part.assignment) == (ErrorCode.NONE, b"all")
    old = exchange.ask("the old member id", join(name, first.member_id, group_instance_id="i1"), version)
    assert old.error_code == ErrorCode.FENCED_INSTANCE_ID


@versions(5, 9)
def test_an_unknown_instance_with_a_member_id(exchange: Exchange, version: int) -> None:
    """A static member that sends a member id to a group that does not exist is refused with UNKNOWN_MEMBER_ID."""
    answer = exchange.ask("instance i1 as somebody", join(group(exchange), "somebody", group_instance_id="i1"), version)

    assert answer.error_code == ErrorCode.UNKNOWN_MEMBER_ID


@variants("instance", empty="", dot=".", blank_inside="a b", too_long="i" * 250)
def test_an_instance_may_have_any_name(exchange: Exchange, instance: str) -> None:
    """A broker accepts any instance id; only clients check that it is a legal name."""
    request = join(group(exchange), group_instance_id=instance)
    answer = exchange.ask(f"instance {instance[:5]!r}", request, 9)

    assert (answer.error_code, answer.generation_id) == (ErrorCode.NONE, 1)
    assert answer.member_id.startswith(f"{instance}-")


@versions(8, 9)
def test_a_reason_may_be_given(exchange: Exchange, version: int) -> None:
    """From version 8 on a member may give a reason for joining."""
    request = join(group(exchange), group_instance_id="i1", reason="the deployment of Tuesday")
    assert exchange.ask("a member with a reason", request, version).error_code == ErrorCode.NONE


@pytest.mark.parametrize("timeout_ms", [-1, 0])
@versions(1, 9)
def test_a_rebalance_timeout_may_be_anything(exchange: Exchange, version: int, timeout_ms: int) -> None:
    """A rebalance timeout, unlike a session timeout, is not checked: a member can join with 0 or -1."""
    instance = "i1" if version >= 5 else None
    request = join(group(exchange), rebalance_timeout_ms=timeout_ms, group_instance_id=instance)
    answer = exchange.ask(f"a rebalance timeout of {timeout_ms} ms", request, version)

    assert (answer.error_code, answer.generation_id) == (ErrorCode.NONE, 1)
