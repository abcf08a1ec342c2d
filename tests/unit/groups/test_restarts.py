"""What a coordinator keeps over a restart, a change of leadership, a write that waits or fails."""

from __future__ import annotations

import pytest
from groups_in_memory import GROUP, World

from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.leave_group_request import LeaveGroupRequest, MemberIdentity
from reference_broker.wire.records import Record, encode_batch


@pytest.fixture
def world() -> World:
    return World()


def test_a_stable_group_is_stable_after_a_restart(world: World) -> None:
    leader, follower = world.stable_pair()
    later = world.restarted()

    assert later.heartbeat(leader, 1) is ErrorCode.NONE
    assert later.answers[later.sync(follower, 1)].assignment == b"orders-1"


def test_members_get_a_whole_session_after_a_restart(world: World) -> None:
    leader, _ = world.stable_pair()
    world.wait(9_000)
    later = world.restarted()

    later.wait(9_999)
    assert later.heartbeat(leader, 1) is ErrorCode.NONE
    later.wait(9_999)
    assert later.state == "PreparingRebalance"


def test_a_rebalance_that_was_on_is_forgotten_by_a_restart(world: World) -> None:
    leader, _ = world.stable_pair()
    world.join(leader)

    assert world.restarted().state == "Stable"


def test_a_group_over_its_size_rebalances_after_a_restart(world: World) -> None:
    world.stable_pair()
    world.settings["group_max_size"] = "1"

    assert world.restarted().state == "PreparingRebalance"


def test_who_waits_is_told_when_another_broker_leads(world: World) -> None:
    leader, follower = world.stable_pair()
    joining = world.join(leader)
    world.lead_elsewhere()

    assert world.code(joining) is ErrorCode.NOT_COORDINATOR
    assert world.heartbeat(follower, 1) is ErrorCode.NOT_COORDINATOR


def test_who_waits_for_an_assignment_is_told_when_another_broker_leads(world: World) -> None:
    asked = [world.join(version=3) for _ in range(2)]
    world.wait(6_000)
    syncing = world.sync(world.answers[asked[1]].member_id, 1)
    world.lead_elsewhere()

    assert world.code(syncing) is ErrorCode.NOT_COORDINATOR


def test_no_timer_outlives_the_leadership(world: World) -> None:
    world.stable_pair()
    world.lead_elsewhere()

    assert world.groups.next_deadline_ms() is None


def test_a_group_is_there_again_when_the_leadership_is(world: World) -> None:
    leader, _ = world.stable_pair()
    world.lead_elsewhere()
    world.lead_again()

    assert world.heartbeat(leader, 1) is ErrorCode.NONE


def test_a_commit_is_answered_when_the_followers_have_it(world: World) -> None:
    world.log.is_held = True
    asked = world.commit(4)
    assert not world.is_answered(asked)

    world.release()
    assert world.code(asked) is ErrorCode.NONE


def test_readers_see_only_what_is_committed(world: World) -> None:
    world.commit(4)
    world.log.is_held = True
    world.commit(5)
    assert world.committed() == 4

    world.release()
    assert world.committed() == 5


def test_a_stable_offset_is_told_when_the_commit_before_it_is_replicated(world: World) -> None:
    world.log.is_held = True
    world.commit(5)
    asked = world.ask_committed(require_stable=True)
    assert not world.is_answered(asked)

    world.release()
    assert world.offset_of(asked) == 5


def test_a_group_is_seen_only_when_it_is_committed(world: World) -> None:
    world.log.is_held = True
    world.commit(4)
    assert world.group_ids() == []

    world.release()
    assert world.group_ids() == [GROUP]


def test_what_a_new_leader_does_not_know_to_be_committed_is_not_read(world: World) -> None:
    world.commit(4)
    later = world.restarted()
    later.lead_elsewhere()
    later.log.watermarks.clear()
    later.log.is_held = True
    later.lead_again()
    asked = later.ask_committed()
    assert not later.is_answered(asked)

    later.release()
    assert later.offset_of(asked) == 4


def test_an_assignment_is_given_when_the_followers_have_it(world: World) -> None:
    member_id = world.new_id()
    world.join(member_id)
    world.wait(6_000)
    world.log.is_held = True
    asked = world.sync(member_id, 1, {member_id: b"all"})
    assert not world.is_answered(asked)

    world.release()
    assert world.answers[asked].assignment == b"all"


def test_a_commit_that_waits_is_told_when_another_broker_leads(world: World) -> None:
    world.log.is_held = True
    asked = world.commit(4)
    world.lead_elsewhere()

    assert world.code(asked) is ErrorCode.NOT_COORDINATOR


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (ErrorCode.KAFKA_STORAGE_ERROR, ErrorCode.NOT_COORDINATOR),
        (ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.NOT_COORDINATOR),
        (ErrorCode.NOT_ENOUGH_REPLICAS, ErrorCode.COORDINATOR_NOT_AVAILABLE),
        (ErrorCode.MESSAGE_TOO_LARGE, ErrorCode.UNKNOWN_SERVER_ERROR),
    ],
)
def test_a_commit_that_cannot_be_written_is_refused(world: World, failure: ErrorCode, told: ErrorCode) -> None:
    world.log.refusal = failure

    assert world.code(world.commit(4)) is told
    world.log.refusal = None
    assert world.committed() == -1


def test_an_assignment_that_cannot_be_written_sends_all_back(world: World) -> None:
    member_id = world.new_id()
    world.join(member_id)
    world.wait(6_000)
    world.log.refusal = ErrorCode.KAFKA_STORAGE_ERROR
    asked = world.sync(member_id, 1, {member_id: b"all"})

    assert world.code(asked) is ErrorCode.NOT_COORDINATOR
    assert world.state == "PreparingRebalance"


def test_a_commit_larger_than_the_topics_limit_is_refused(world: World) -> None:
    world.log.limit = 100

    assert world.code(world.commit(4, metadata="x" * 200)) is ErrorCode.UNKNOWN_SERVER_ERROR


def test_tombstones_are_split_over_batches_where_one_is_too_small(world: World) -> None:
    for index in range(2):
        world.commit(4, index=index)
    world.log.limit = 170
    world.wait(8 * 24 * 3_600_000)

    assert (world.restarted().committed(0), world.restarted().committed(1)) == (-1, -1)


def test_records_of_unknown_types_are_left_alone(world: World) -> None:
    world.commit(4)
    partition = world.groups.partition_for(GROUP)
    world.log.append(partition, encode_batch([Record(0, 0, b"\0\x63abc", b"\0\0")]), 0, 0)

    assert world.restarted().committed() == 4


def test_a_partition_that_cannot_be_read_has_no_coordinator(world: World) -> None:
    world.commit(4)
    partition = world.groups.partition_for(GROUP)
    world.log.append(partition, encode_batch([Record(0, 0, b"\0\1\0", b"")]), 0, 0)

    assert world.restarted().committed() is ErrorCode.NOT_COORDINATOR


def test_a_last_leave_that_cannot_be_written_is_refused(world: World) -> None:
    leader, follower = world.stable_pair()
    world.log.refusal = ErrorCode.KAFKA_STORAGE_ERROR
    request = LeaveGroupRequest(
        group_id=GROUP, members=(MemberIdentity(member_id=leader), MemberIdentity(member_id=follower))
    )
    asked = world.ask(world.groups.leave, request, finish=lambda response: response)

    assert world.code(asked) is ErrorCode.NOT_COORDINATOR
