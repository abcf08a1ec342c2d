"""Heartbeat (key 12) keeps a member in its group, and its answer says when to rejoin.

**Claim** A heartbeat of a member of the current generation is answered without an error, or with REBALANCE_IN_PROGRESS;
any other is refused. A member that sends heartbeats stays in the group, and one that sends none for longer than its
session timeout is removed.
**Why it matters** A consumer that continues after it was removed reads what another consumer reads too.
**Kafka says** Protocol guide, Heartbeat; KIP-345 (static members).
**Cannot see** Client libraries that miss their heartbeats.
**Rejects** tests/plants/has_members_join_without_end.py, tests/plants/looks_at_no_generation.py,
tests/plants/never_puts_anybody_out.py, tests/plants/never_tells_of_a_rebalance.py,
tests/plants/puts_out_members_that_beat.py, tests/plants/serves_groups_without_a_name.py,
tests/plants/takes_anybody_for_a_member.py, tests/plants/tells_members_that_there_is_no_group.py,
tests/plants/waits_for_nobody.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import (
    SESSION_MS,
    all_versions,
    coordinated,
    join,
    joined,
    stable,
    variants,
    versions,
)
from harness.hosts import cluster_time as time
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.heartbeat_request import HeartbeatRequest
from reference_broker.wire.primitives import GroupId

pytestmark = [
    pytest.mark.feature("Heartbeat"),
    pytest.mark.kip(345),
    pytest.mark.document("Protocol guide, Heartbeat", "https://kafka.apache.org/protocol.html#The_Messages_Heartbeat"),
]


def group(exchange: Exchange) -> str:
    """The name of a new group."""
    coordinated(exchange)
    return exchange.name("readers")


def beat(name: str, generation: int, member: str, instance: str | None = None) -> HeartbeatRequest:
    return HeartbeatRequest(
        group_id=GroupId(name), generation_id=generation, member_id=member, group_instance_id=instance
    )


@all_versions(0, 4)
def test_a_stable_member_is_well(exchange: Exchange, version: int) -> None:
    """A heartbeat of a member of a stable group gets no error."""
    name = group(exchange)
    member, generation = stable(exchange, name)
    answer = exchange.ask("a stable member", beat(name, generation, member), version)

    assert answer.error_code == ErrorCode.NONE


@versions(0, 4)
def test_a_member_before_its_assignment(exchange: Exchange, version: int) -> None:
    """A heartbeat of a member that waits for its assignment gets no error."""
    name = group(exchange)
    member, generation = joined(exchange, name)
    answer = exchange.ask("a member before its assignment", beat(name, generation, member), version)

    assert answer.error_code == ErrorCode.NONE


@versions(0, 4)
def test_a_member_learns_that_others_gather(exchange: Exchange, version: int) -> None:
    """During a rebalance a member's heartbeat is answered with REBALANCE_IN_PROGRESS."""
    name = group(exchange)
    member, generation = stable(exchange, name)
    pending = exchange.start("a second member", join(name), 3)
    assert not pending.is_answered(0.15)
    answer = exchange.ask("the first", beat(name, generation, member), version)

    assert answer.error_code == ErrorCode.REBALANCE_IN_PROGRESS


@variants("generation", old=0, new=2, none=-1)
@versions(0, 4)
def test_another_generation_is_refused(exchange: Exchange, version: int, generation: int) -> None:
    """A heartbeat of another generation is refused."""
    name = group(exchange)
    member, _ = stable(exchange, name)
    answer = exchange.ask(f"generation {generation} where 1 is", beat(name, generation, member), version)

    assert answer.error_code == ErrorCode.ILLEGAL_GENERATION


@versions(0, 3, 4)
def test_an_unknown_member_is_refused(exchange: Exchange, version: int) -> None:
    """A heartbeat of a client that is not a member is refused."""
    name = group(exchange)
    stable(exchange, name)
    answer = exchange.ask("somebody", beat(name, 1, "somebody"), version)

    assert answer.error_code == ErrorCode.UNKNOWN_MEMBER_ID


@versions(0, 4)
def test_an_unknown_group_is_refused(exchange: Exchange, version: int) -> None:
    """A heartbeat for a group that does not exist is refused with UNKNOWN_MEMBER_ID."""
    answer = exchange.ask("a group that is not there", beat(group(exchange), 1, "somebody"), version)

    assert answer.error_code == ErrorCode.UNKNOWN_MEMBER_ID


@versions(0, 4)
def test_a_group_has_a_name(exchange: Exchange, version: int) -> None:
    """The empty group id is refused."""
    coordinated(exchange)
    answer = exchange.ask("a group without a name", beat("", 1, "somebody"), version)

    assert answer.error_code == ErrorCode.INVALID_GROUP_ID


@versions(3, 4)
def test_an_instance_with_another_member_id_is_fenced(exchange: Exchange, version: int) -> None:
    """A static member's heartbeat is accepted with its current member id; with another member id it is fenced."""
    name = group(exchange)
    own = exchange.quietly(join(name, group_instance_id="i1"), 7)
    for words, member, instance, code in (
        ("i1 itself", own.member_id, "i1", ErrorCode.NONE),
        ("i1 as somebody", "somebody", "i1", ErrorCode.FENCED_INSTANCE_ID),
        ("i2, which never joined", own.member_id, "i2", ErrorCode.UNKNOWN_MEMBER_ID),
    ):
        assert exchange.ask(words, beat(name, 1, member, instance), version).error_code == code


def test_a_silent_member_is_put_out_and_one_that_beats_stays(exchange: Exchange) -> None:
    """A member that sends a heartbeat every second stays; one that sends none for longer than its session timeout is
    removed."""
    coordinated(exchange)
    busy, silent = exchange.name("busy"), exchange.name("silent")
    (beating, generation), (sleeping, _) = stable(exchange, busy), stable(exchange, silent)

    for _ in range(SESSION_MS // 1000 + 2):
        time.sleep(1)
        assert exchange.quietly(beat(busy, generation, beating), 4).error_code == ErrorCode.NONE

    assert exchange.ask("the silent one", beat(silent, 1, sleeping), 4).error_code == ErrorCode.UNKNOWN_MEMBER_ID
    assert exchange.ask("the one that beats", beat(busy, 1, beating), 4).error_code == ErrorCode.NONE
