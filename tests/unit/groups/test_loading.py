"""What clients hear while groups are loaded, and of writes that fail or take too long."""

from __future__ import annotations

import pytest
from groups_in_memory import GROUP, World

from reference_broker.coordinator import runtime
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.leave_group_request import LeaveGroupRequest, MemberIdentity


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def loading(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A coordinator that has loaded the first record of many. Its group has two members."""
    leader, _ = world.stable_pair()
    for offset in range(5):
        world.commit(offset, leader, 1)
    monkeypatch.setattr(runtime, "SLICE_RECORDS", 1)
    world.lead_elsewhere()
    world.lead_again()
    return world


def finish(world: World) -> None:
    for _ in range(20):
        world.groups.on_time(world.now)


def test_a_commit_is_refused_while_groups_are_loaded(loading: World) -> None:
    assert loading.code(loading.commit(9)) is ErrorCode.COORDINATOR_LOAD_IN_PROGRESS


def test_an_offset_is_not_told_while_groups_are_loaded(loading: World) -> None:
    assert loading.committed() is ErrorCode.COORDINATOR_LOAD_IN_PROGRESS


def test_groups_are_not_listed_while_they_are_loaded(loading: World) -> None:
    number = loading.ask(loading.groups.list_groups, [], [], finish=lambda found: found)
    assert loading.code(number) is ErrorCode.COORDINATOR_LOAD_IN_PROGRESS


def test_a_member_is_not_sent_away_while_groups_are_loaded(loading: World) -> None:
    assert loading.heartbeat("any member", 1) is ErrorCode.NONE


def test_the_next_slices_are_loaded_at_once(loading: World) -> None:
    assert loading.groups.next_deadline_ms() == 0
    finish(loading)
    assert (loading.committed(), loading.state) == (4, "Stable")


def test_a_group_that_cannot_be_written_does_not_come_into_being(world: World) -> None:
    world.log.refusal = ErrorCode.KAFKA_STORAGE_ERROR
    assert world.code(world.join()) is ErrorCode.NOT_COORDINATOR
    world.log.refusal = None
    assert world.group_ids() == []


def test_a_commit_that_is_not_replicated_in_time_may_be_made_all_the_same(world: World) -> None:
    world.log.is_held = True
    asked = world.commit(4)
    world.expire()
    assert world.code(asked) is ErrorCode.COORDINATOR_NOT_AVAILABLE
    world.release()
    assert world.committed() == 4


def test_an_offset_that_is_not_stable_in_time_sends_the_client_to_look_again(world: World) -> None:
    world.log.is_held = True
    world.commit(4)
    asked = world.ask_committed(require_stable=True)
    world.expire()
    assert world.offset_of(asked) is ErrorCode.NOT_COORDINATOR


def test_an_assignment_that_is_not_replicated_in_time_sends_all_back(world: World) -> None:
    member_id = world.new_id()
    world.join(member_id)
    world.wait(6_000)
    world.log.is_held = True
    asked = world.sync(member_id, 1, {member_id: b"all"})
    world.wait(5_000)
    assert world.code(asked) is ErrorCode.COORDINATOR_NOT_AVAILABLE
    assert world.state == "PreparingRebalance"


def test_a_static_member_that_left_before_its_return_was_written_stays_away(world: World) -> None:
    world.stable_static_pair()
    world.log.is_held = True
    asked = world.join(instance="two")
    (member_id,) = [one.member_id for one in world.described().members if one.group_instance_id == "two"]
    leaving = LeaveGroupRequest(group_id=GROUP, members=(MemberIdentity(member_id=member_id, group_instance_id="two"),))
    world.ask(world.groups.leave, leaving, finish=lambda response: response)
    world.release()
    assert world.code(asked) is ErrorCode.UNKNOWN_MEMBER_ID
    assert [one.group_instance_id for one in world.described(GROUP).members] == ["one"]


def test_a_static_member_whose_return_is_not_written_keeps_its_old_id(world: World) -> None:
    world.stable_static_pair()
    before = {one.member_id for one in world.described().members}
    world.log.refusal = ErrorCode.NOT_ENOUGH_REPLICAS
    assert world.code(world.join(instance="two")) is ErrorCode.COORDINATOR_NOT_AVAILABLE
    assert {one.member_id for one in world.described().members} == before
