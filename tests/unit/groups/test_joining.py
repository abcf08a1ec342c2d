"""Who may come into a group, under which id, and what that does to the others."""

from __future__ import annotations

import pytest
from groups_in_memory import GROUP, World

from reference_broker.wire.errors import ErrorCode


@pytest.fixture
def world() -> World:
    return World()


def test_a_new_dynamic_member_is_given_an_id_first(world: World) -> None:
    answer = world.answers[world.join()]

    assert answer.error_code == ErrorCode.MEMBER_ID_REQUIRED
    assert answer.member_id.startswith("app-")


def test_an_id_that_was_given_out_lets_its_holder_in(world: World) -> None:
    member_id = world.new_id()

    asked = world.join(member_id)
    world.wait(6_000)

    assert world.answers[asked].member_id == member_id
    assert world.answers[asked].generation_id == 1


def test_a_version_below_four_joins_without_an_id(world: World) -> None:
    asked = world.join(version=3)
    world.wait(6_000)

    assert world.code(asked) is ErrorCode.NONE


def test_a_new_group_waits_the_initial_delay_for_others(world: World) -> None:
    asked = world.join(version=3)

    world.wait(2_999)
    assert not world.is_answered(asked)

    world.wait(1)
    assert world.is_answered(asked)


def test_the_initial_delay_begins_anew_while_members_come(world: World) -> None:
    first = world.join(version=3)
    world.wait(2_000)
    world.join(version=3)

    world.wait(3_999)
    assert not world.is_answered(first)

    world.wait(1)
    assert world.is_answered(first)


def test_the_initial_delay_ends_with_the_rebalance_timeout(world: World) -> None:
    first = world.join(version=3, rebalance_ms=5_000)
    for _ in range(4):
        world.wait(1_200)
        world.join(version=3, rebalance_ms=5_000)

    world.wait(200)

    assert world.is_answered(first)


def test_two_members_join_one_generation(world: World) -> None:
    one, two = world.new_id(), world.new_id()
    first, second = world.join(one), world.join(two)
    world.wait(6_000)

    leader, follower = world.answers[first], world.answers[second]
    assert (leader.generation_id, follower.generation_id) == (1, 1)
    assert leader.leader == follower.leader == one


def test_only_the_leader_hears_who_is_in(world: World) -> None:
    one, two = world.new_id(), world.new_id()
    first, second = world.join(one), world.join(two)
    world.wait(6_000)

    assert [member.member_id for member in world.answers[first].members] == [one, two]
    assert world.answers[second].members == ()


def test_an_unknown_member_id_is_refused(world: World) -> None:
    assert world.code(world.join("stranger")) is ErrorCode.UNKNOWN_MEMBER_ID


def test_an_unknown_member_id_makes_no_group(world: World) -> None:
    world.join("stranger")

    assert world.group_ids() == []


@pytest.mark.parametrize("session_ms", [5_999, 1_800_001])
def test_a_session_timeout_out_of_bounds_is_refused(world: World, session_ms: int) -> None:
    assert world.code(world.join(session_ms=session_ms)) is ErrorCode.INVALID_SESSION_TIMEOUT


def test_another_protocol_type_is_refused(world: World) -> None:
    world.stable_pair()

    assert world.code(world.join(kind="connect")) is ErrorCode.INCONSISTENT_GROUP_PROTOCOL


def test_a_member_that_shares_no_protocol_is_refused(world: World) -> None:
    world.stable_pair()

    assert world.code(world.join(protocols=("sticky",))) is ErrorCode.INCONSISTENT_GROUP_PROTOCOL


def test_no_protocol_at_all_is_refused(world: World) -> None:
    assert world.code(world.join(protocols=())) is ErrorCode.INCONSISTENT_GROUP_PROTOCOL


def test_a_group_takes_no_more_than_its_size() -> None:
    world = World(group_max_size="1")
    world.join(version=3)
    world.wait(6_000)

    assert world.code(world.join(version=3)) is ErrorCode.GROUP_MAX_SIZE_REACHED


def test_the_protocol_with_most_votes_is_chosen(world: World) -> None:
    asked = [
        world.join(version=3, protocols=protocols)
        for protocols in (("range", "sticky"), ("sticky", "range"), ("other", "sticky", "range"))
    ]
    world.wait(6_000)

    assert [world.answers[one].protocol_name for one in asked] == ["sticky"] * 3


def test_a_draw_of_votes_goes_to_the_one_voted_for_first(world: World) -> None:
    first = world.join(version=3, protocols=("roundrobin", "range"))
    world.join(version=3, protocols=("range", "roundrobin"))
    world.wait(6_000)

    assert world.answers[first].protocol_name == "roundrobin"


def test_an_id_that_is_not_used_lapses_with_its_session(world: World) -> None:
    member_id = world.new_id(session_ms=10_000)
    world.wait(10_000)

    assert world.code(world.join(member_id)) is ErrorCode.UNKNOWN_MEMBER_ID


def test_a_rebalance_waits_for_an_id_that_was_given_out(world: World) -> None:
    leader, follower = world.stable_pair()
    world.new_id(session_ms=10_000)
    asked = [world.join(leader), world.join(follower)]

    assert not world.is_answered(asked[0])

    world.wait(10_000)
    assert [world.code(one) for one in asked] == [ErrorCode.NONE] * 2


def test_a_follower_that_comes_back_unchanged_is_answered_at_once(world: World) -> None:
    _, follower = world.stable_pair()

    assert world.answers[world.join(follower)].generation_id == 1
    assert world.state == "Stable"


def test_a_follower_with_other_topics_begins_a_rebalance(world: World) -> None:
    _, follower = world.stable_pair()
    world.join(follower, topics=("orders", "payments"))

    assert world.state == "PreparingRebalance"


def test_a_leader_that_comes_back_begins_a_rebalance(world: World) -> None:
    leader, _ = world.stable_pair()
    world.join(leader)

    assert world.state == "PreparingRebalance"


def test_before_version_seven_no_protocol_is_an_empty_name(world: World) -> None:
    assert world.answers[world.join("stranger", version=6)].protocol_name == ""
    assert world.answers[world.join("stranger", version=7)].protocol_name is None


def test_a_group_that_nobody_came_into_is_written_all_the_same(world: World) -> None:
    world.join()

    assert world.restarted().group_ids() == [GROUP]


def test_a_pending_id_with_an_instance_is_a_server_error_as_in_kafka(world: World) -> None:
    member_id = world.new_id()

    assert world.code(world.join(member_id, instance="one")) is ErrorCode.UNKNOWN_SERVER_ERROR
