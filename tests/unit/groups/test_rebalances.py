"""From one generation to the next: sessions, phases, and what ends the waiting."""

from __future__ import annotations

import pytest
from groups_in_memory import World

from reference_broker.wire.errors import ErrorCode


@pytest.fixture
def world() -> World:
    return World()


def test_followers_wait_for_the_leaders_assignment(world: World) -> None:
    leader, follower = world.new_id(), world.new_id()
    world.join(leader)
    world.join(follower)
    world.wait(6_000)

    asked = world.sync(follower, 1)
    assert not world.is_answered(asked)

    world.sync(leader, 1, {leader: b"L", follower: b"F"})
    assert world.answers[asked].assignment == b"F"


def test_a_member_without_an_assignment_gets_an_empty_one(world: World) -> None:
    leader, follower = world.new_id(), world.new_id()
    world.join(leader)
    world.join(follower)
    world.wait(6_000)
    asked = world.sync(follower, 1)
    world.sync(leader, 1, {leader: b"L"})

    assert world.answers[asked].assignment == b""
    assert world.code(asked) is ErrorCode.NONE


def test_in_a_stable_group_the_assignment_is_told_again(world: World) -> None:
    _, follower = world.stable_pair()

    assert world.answers[world.sync(follower, 1)].assignment == b"orders-1"


def test_a_sync_of_another_generation_is_refused(world: World) -> None:
    leader, _ = world.stable_pair()

    assert world.code(world.sync(leader, 2)) is ErrorCode.ILLEGAL_GENERATION


def test_a_sync_with_another_protocol_is_refused(world: World) -> None:
    leader, _ = world.stable_pair()

    assert world.code(world.sync(leader, 1, name="sticky")) is ErrorCode.INCONSISTENT_GROUP_PROTOCOL


def test_a_sync_while_members_join_is_refused(world: World) -> None:
    leader, follower = world.stable_pair()
    world.join(leader)

    assert world.code(world.sync(follower, 1)) is ErrorCode.REBALANCE_IN_PROGRESS


def test_a_heartbeat_tells_that_a_rebalance_is_on(world: World) -> None:
    leader, follower = world.stable_pair()
    world.join(leader)

    assert world.heartbeat(follower, 1) is ErrorCode.REBALANCE_IN_PROGRESS


@pytest.mark.parametrize(
    ("member", "generation", "code"),
    [
        ("follower", 1, ErrorCode.NONE),
        ("follower", 2, ErrorCode.ILLEGAL_GENERATION),
        ("stranger", 1, ErrorCode.UNKNOWN_MEMBER_ID),
    ],
)
def test_a_heartbeat_in_a_stable_group(world: World, member: str, generation: int, code: ErrorCode) -> None:
    _, follower = world.stable_pair()

    assert world.heartbeat(follower if member == "follower" else member, generation) is code


def test_a_heartbeat_to_an_unknown_group_is_refused(world: World) -> None:
    assert world.heartbeat("stranger", 1) is ErrorCode.UNKNOWN_MEMBER_ID


def test_a_silent_member_is_out_after_its_session(world: World) -> None:
    leader, follower = world.stable_pair()
    world.wait(5_000)
    world.heartbeat(leader, 1)

    world.wait(5_000)

    assert world.state == "PreparingRebalance"
    assert world.heartbeat(follower, 1) is ErrorCode.UNKNOWN_MEMBER_ID


def test_heartbeats_keep_a_member_in(world: World) -> None:
    leader, follower = world.stable_pair()
    for _ in range(5):
        world.wait(9_000)
        world.heartbeat(leader, 1)
        world.heartbeat(follower, 1)

    assert world.state == "Stable"


def test_a_group_that_all_fell_silent_in_is_empty(world: World) -> None:
    world.stable_pair()
    world.wait(60_000)

    assert world.state == "Empty"


def test_the_generation_goes_on_when_a_group_was_empty(world: World) -> None:
    world.stable_pair()
    world.wait(60_000)
    asked = world.join(version=3)
    world.wait(6_000)

    assert world.answers[asked].generation_id == 3


def test_one_who_leaves_makes_the_others_rebalance(world: World) -> None:
    leader, follower = world.stable_pair()

    assert world.leave(follower) == [ErrorCode.NONE]
    asked = world.join(leader)
    assert world.answers[asked].generation_id == 2
    assert [member.member_id for member in world.answers[asked].members] == [leader]


def test_when_the_leader_leaves_another_leads(world: World) -> None:
    leader, follower = world.stable_pair()
    world.leave(leader)

    assert world.answers[world.join(follower)].leader == follower


def test_leaving_twice_is_refused_the_second_time(world: World) -> None:
    _, follower = world.stable_pair()

    assert world.leave(follower, follower) == [ErrorCode.NONE, ErrorCode.UNKNOWN_MEMBER_ID]


def test_leaving_an_unknown_group_is_refused_for_each_member(world: World) -> None:
    assert world.leave("one", "two") == [ErrorCode.UNKNOWN_MEMBER_ID] * 2


def test_a_member_that_leaves_while_it_joins_is_told(world: World) -> None:
    leader, follower = world.stable_pair()
    asked = world.join(follower, topics=("other",))
    world.leave(follower)

    assert world.code(asked) is ErrorCode.UNKNOWN_MEMBER_ID
    assert world.answers[world.join(leader)].generation_id == 2


def test_an_id_that_was_not_used_can_leave(world: World) -> None:
    member_id = world.new_id()

    assert world.leave(member_id) == [ErrorCode.NONE]
    assert world.code(world.join(member_id)) is ErrorCode.UNKNOWN_MEMBER_ID


def test_who_does_not_join_in_time_is_out(world: World) -> None:
    leader, follower = world.stable_pair()
    asked = world.join(leader, rebalance_ms=30_000)
    for _ in range(6):
        world.wait(5_000)
        world.heartbeat(follower, 1)

    assert world.answers[asked].generation_id == 2
    assert world.heartbeat(follower, 2) is ErrorCode.UNKNOWN_MEMBER_ID


def test_who_joined_leads_when_the_leader_does_not_come(world: World) -> None:
    leader, follower = world.stable_pair()
    asked = world.join(follower, topics=("other",))
    for _ in range(6):
        world.wait(5_000)
        world.heartbeat(leader, 1)

    assert world.answers[asked].leader == follower


def test_who_does_not_sync_in_time_is_out(world: World) -> None:
    leader, follower = world.new_id(), world.new_id()
    world.join(leader)
    world.join(follower)
    world.wait(6_000)
    world.sync(leader, 1, {leader: b"L", follower: b"F"})
    for _ in range(6):
        world.wait(5_000)
        world.heartbeat(leader, 1)
        world.heartbeat(follower, 1)

    assert world.heartbeat(follower, 1) is ErrorCode.UNKNOWN_MEMBER_ID
    assert world.state == "PreparingRebalance"


def test_a_join_in_the_sync_phase_sends_those_who_wait_back(world: World) -> None:
    leader, follower = world.new_id(), world.new_id()
    world.join(leader)
    world.join(follower)
    world.wait(6_000)
    asked = world.sync(follower, 1)

    world.join(version=3)

    assert world.code(asked) is ErrorCode.REBALANCE_IN_PROGRESS


def test_a_member_that_waits_for_the_join_phase_needs_no_heartbeat(world: World) -> None:
    leader, follower = world.stable_pair()
    asked = world.join(leader, session_ms=10_000)
    for _ in range(5):
        world.wait(5_000)
        world.heartbeat(follower, 1)
    world.join(follower)

    assert world.code(asked) is ErrorCode.NONE


def test_a_new_member_that_is_gone_does_not_hold_the_group_for_ever(world: World) -> None:
    leader, _ = world.stable_pair()
    world.join(version=3, rebalance_ms=600_000)
    for _ in range(61):
        world.wait(5_000)
        world.heartbeat(leader, 1)

    assert [member.member_id for member in world.described().members] == [leader]


def test_a_stable_group_is_described_with_assignments(world: World) -> None:
    leader, follower = world.stable_pair()

    described = world.described()
    assert (described.group_state, described.protocol_data) == ("Stable", "range")
    assert {one.member_id: one.member_assignment for one in described.members} == {
        leader: b"orders-0",
        follower: b"orders-1",
    }
    assert described.members[0].client_host == "/10.0.0.7"
