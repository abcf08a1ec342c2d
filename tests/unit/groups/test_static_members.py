"""Members with a group.instance.id keep their place (KIP-345)."""

from __future__ import annotations

import pytest
from groups_in_memory import World

from reference_broker.wire.errors import ErrorCode


@pytest.fixture
def world() -> World:
    return World()


def test_a_static_member_joins_without_a_detour(world: World) -> None:
    asked = world.join(instance="one")
    world.wait(6_000)

    assert world.answers[asked].member_id.startswith("one-")


def test_a_static_member_that_comes_back_starts_no_rebalance(world: World) -> None:
    _, follower = world.stable_static_pair()
    back = world.answers[world.join(instance="two")]

    assert (back.generation_id, world.state) == (1, "Stable")
    assert back.member_id != follower


def test_a_static_member_that_comes_back_finds_its_assignment(world: World) -> None:
    world.stable_static_pair()
    member_id = world.answers[world.join(instance="two")].member_id

    assert world.answers[world.sync(member_id, 1, instance="two")].assignment == b"orders-1"


def test_the_former_id_of_a_static_member_is_fenced(world: World) -> None:
    _, follower = world.stable_static_pair()
    world.join(instance="two")

    assert world.heartbeat(follower, 1, "two") is ErrorCode.FENCED_INSTANCE_ID


def test_a_static_leader_that_comes_back_skips_the_assignment(world: World) -> None:
    world.stable_static_pair()
    back = world.answers[world.join(instance="one")]

    assert back.skip_assignment
    assert back.leader == back.member_id
    assert len(back.members) == 2


def test_before_version_nine_a_static_leader_is_told_the_former_leader(world: World) -> None:
    leader, _ = world.stable_static_pair()
    back = world.answers[world.join(instance="one", version=8)]

    assert back.leader == leader
    assert back.members == ()


def test_a_static_member_that_changes_the_protocol_starts_a_rebalance(world: World) -> None:
    for instance in ("one", "two"):
        world.join(instance=instance, protocols=("range", "sticky"))
    world.wait(6_000)
    leader, follower = (member.member_id for member in world.described().members)
    world.sync(follower, 1, instance="two")
    world.sync(leader, 1, {leader: b"L"}, instance="one")

    world.join(instance="two", protocols=("sticky",))

    assert world.state == "PreparingRebalance"


def test_a_static_member_that_comes_back_while_it_waits_fences_itself(world: World) -> None:
    world.join(instance="one")
    first = world.join(instance="two")
    second = world.join(instance="two")

    assert world.code(first) is ErrorCode.FENCED_INSTANCE_ID
    world.wait(6_000)
    assert world.code(second) is ErrorCode.NONE


def test_an_administrator_removes_a_member_by_its_instance(world: World) -> None:
    world.stable_static_pair()

    assert world.leave(("", "two"), ("", "three")) == [ErrorCode.NONE, ErrorCode.UNKNOWN_MEMBER_ID]
    assert len(world.described().members) == 1


def test_leaving_under_a_former_id_is_fenced(world: World) -> None:
    _, follower = world.stable_static_pair()
    world.join(instance="two")

    assert world.leave((follower, "two")) == [ErrorCode.FENCED_INSTANCE_ID]


def test_a_static_member_stays_in_while_it_does_not_rejoin(world: World) -> None:
    leader, follower = world.stable_static_pair()
    asked = world.join(leader, instance="one", session_ms=60_000, topics=("other",))
    for _ in range(6):
        world.wait(5_000)
        world.heartbeat(follower, 1, "two")

    assert len(world.answers[asked].members) == 2


def test_a_static_members_new_id_survives_a_restart(world: World) -> None:
    world.stable_static_pair()
    member_id = world.answers[world.join(instance="two")].member_id

    later = world.restarted()

    assert later.heartbeat(member_id, 1, "two") is ErrorCode.NONE


def test_a_static_replacement_that_cannot_be_written_is_undone(world: World) -> None:
    _, follower = world.stable_static_pair()
    world.log.refusal = ErrorCode.KAFKA_STORAGE_ERROR

    assert world.code(world.join(instance="two")) is ErrorCode.NOT_COORDINATOR
    assert world.heartbeat(follower, 1, "two") is ErrorCode.NONE
