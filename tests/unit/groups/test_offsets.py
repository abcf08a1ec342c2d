"""Offsets: committed, fetched, deleted, expired."""

from __future__ import annotations

import pytest
from groups_in_memory import GROUP, NOW, ORDERS, ORDERS_ID, Change, TopicInMemory, World

from reference_broker.coordinator.records import encode_record
from reference_broker.groups.records import offset_record
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.offset_commit_value import OffsetCommitValue
from reference_broker.wire.messages.offset_delete_request import (
    OffsetDeleteRequest,
    OffsetDeleteRequestPartition,
    OffsetDeleteRequestTopic,
)
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.records import Record, encode_batch

WEEK_MS = 7 * 24 * 3_600_000
CHECK_MS = 600_000


@pytest.fixture
def world() -> World:
    return World()


def delete(world: World, group: str = GROUP) -> ErrorCode:
    topic = OffsetDeleteRequestTopic(name=ORDERS, partitions=(OffsetDeleteRequestPartition(partition_index=0),))
    request = OffsetDeleteRequest(group_id=group, topics=(topic,))  # type: ignore[arg-type]
    return world.code(world.ask(world.groups.delete_offsets, request, finish=lambda response: response))


def delete_group(world: World) -> ErrorCode:
    number = world.ask(world.groups.delete_groups, [GROUP], finish=lambda results: results[0])
    return ErrorCode(world.answers[number].error_code)


def transactional(world: World, offset: int, producer_id: int) -> None:
    """An offset as a transaction leaves it in the log before its end."""
    key, value = encode_record(offset_record(GROUP, ORDERS, 0, OffsetCommitValue(offset=offset, commit_timestamp=NOW)))
    partition = world.groups.partition_for(GROUP)
    batch = encode_batch(
        [Record(0, NOW, key, value)], producer_id=producer_id, producer_epoch=0, base_sequence=0, is_transactional=True
    )
    world.log.append(partition, batch, 0, NOW)


def marker(world: World, producer_id: int, *, is_commit: bool) -> None:
    key = b"\0\0\0\1" if is_commit else b"\0\0\0\0"
    batch = encode_batch(
        [Record(0, NOW, key, b"\0\0\0\0\0\0")],
        producer_id=producer_id,
        producer_epoch=0,
        is_transactional=True,
        is_control=True,
    )
    world.log.append(world.groups.partition_for(GROUP), batch, 0, NOW)


def test_a_members_commit_is_fetched(world: World) -> None:
    leader, _ = world.stable_pair()

    assert world.code(world.commit(42, leader, 1)) is ErrorCode.NONE
    assert world.committed() == 42


def test_nothing_committed_is_minus_one(world: World) -> None:
    assert world.committed() == -1


def test_a_simple_commit_makes_a_group_without_members(world: World) -> None:
    world.commit(7)

    assert world.committed() == 7
    assert (world.state, world.described().protocol_type) == ("Empty", "")


@pytest.mark.parametrize(
    ("member", "generation", "code"),
    [
        ("leader", 2, ErrorCode.ILLEGAL_GENERATION),
        ("stranger", 1, ErrorCode.UNKNOWN_MEMBER_ID),
        ("", -1, ErrorCode.UNKNOWN_MEMBER_ID),
        ("leader", -1, ErrorCode.ILLEGAL_GENERATION),
    ],
)
def test_a_commit_by_one_who_is_not_in_the_generation_is_refused(
    world: World, member: str, generation: int, code: ErrorCode
) -> None:
    leader, _ = world.stable_pair()

    assert world.code(world.commit(42, leader if member == "leader" else member, generation)) is code
    assert world.committed() == -1


def test_a_commit_before_the_assignment_is_refused(world: World) -> None:
    member_id = world.new_id()
    world.join(member_id)
    world.wait(6_000)

    assert world.code(world.commit(1, member_id, 1)) is ErrorCode.REBALANCE_IN_PROGRESS


def test_a_commit_while_members_join_is_taken(world: World) -> None:
    leader, follower = world.stable_pair()
    world.join(leader)

    assert world.code(world.commit(5, follower, 1)) is ErrorCode.NONE


def test_a_commit_counts_as_a_heartbeat(world: World) -> None:
    leader, follower = world.stable_pair()
    for _ in range(4):
        world.wait(9_000)
        world.commit(1, leader, 1)
        world.commit(1, follower, 1)

    assert world.state == "Stable"


@pytest.mark.parametrize(("version", "code"), [(8, ErrorCode.ILLEGAL_GENERATION), (9, ErrorCode.GROUP_ID_NOT_FOUND)])
def test_a_generation_of_an_unknown_group_is_refused(world: World, version: int, code: ErrorCode) -> None:
    assert world.code(world.commit(1, "who", 3, version=version)) is code


def test_metadata_over_the_limit_is_refused(world: World) -> None:
    assert world.code(world.commit(1, metadata="x" * 4_097)) is ErrorCode.OFFSET_METADATA_TOO_LARGE
    assert world.committed() == -1


def test_a_commit_that_writes_nothing_makes_no_group(world: World) -> None:
    world.commit(1, metadata="x" * 4_097)
    world.commit(1, group="another")

    assert world.described().error_code == ErrorCode.GROUP_ID_NOT_FOUND


def test_the_longest_retention_is_taken(world: World) -> None:
    assert world.code(world.commit(1, version=4, retention_time_ms=2**63 - 1)) is ErrorCode.NONE


def test_metadata_is_measured_in_utf_16_units_as_java_does(world: World) -> None:
    assert world.code(world.commit(1, metadata="𝄞" * 2_048)) is ErrorCode.NONE
    assert world.code(world.commit(1, metadata="𝄞" * 2_049)) is ErrorCode.OFFSET_METADATA_TOO_LARGE


def test_offsets_survive_a_restart(world: World) -> None:
    world.commit(11)
    world.commit(12)

    assert world.restarted().committed() == 12


def test_a_subscribed_topics_offsets_cannot_be_deleted(world: World) -> None:
    leader, _ = world.stable_pair()
    world.commit(3, leader, 1)

    assert delete(world) is ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC
    assert world.committed() == 3


def test_an_empty_groups_offsets_can_be_deleted(world: World) -> None:
    world.commit(3)

    assert delete(world) is ErrorCode.NONE
    assert world.restarted().committed() == -1


def test_offsets_of_an_unknown_group_cannot_be_deleted(world: World) -> None:
    assert delete(world) is ErrorCode.GROUP_ID_NOT_FOUND


def test_offsets_of_members_that_are_no_consumers_cannot_be_deleted(world: World) -> None:
    world.join(version=3, kind="connect")

    assert delete(world) is ErrorCode.NON_EMPTY_GROUP


def test_a_group_with_members_cannot_be_deleted(world: World) -> None:
    world.stable_pair()

    assert delete_group(world) is ErrorCode.NON_EMPTY_GROUP


def test_a_deleted_group_takes_its_offsets_along(world: World) -> None:
    world.commit(3)

    assert delete_group(world) is ErrorCode.NONE
    later = world.restarted()
    assert (later.committed(), later.group_ids()) == (-1, [])


def test_an_unknown_group_cannot_be_deleted(world: World) -> None:
    assert delete_group(world) is ErrorCode.GROUP_ID_NOT_FOUND


def test_the_offsets_of_a_deleted_topic_go(world: World) -> None:
    world.commit(3)
    gone = world.topics.pop(ORDERS)
    world.groups.on_metadata(Change({gone.id: gone}), world.now)

    assert world.restarted().committed() == -1


def test_the_offsets_of_an_earlier_topic_of_the_name_stay_when_another_is_deleted(world: World) -> None:
    world.commit(3)
    other = TopicInMemory(ORDERS, Uuid(b"x" * 16), {})
    world.groups.on_metadata(Change({other.id: other}), world.now)

    assert world.committed() == 3


def test_a_simple_groups_offset_expires_with_the_retention(world: World) -> None:
    world.commit(3)

    world.wait(WEEK_MS - 1)
    assert world.committed() == 3

    world.wait(CHECK_MS)
    assert world.committed() == -1


def test_a_group_without_offsets_goes_with_its_last_offset(world: World) -> None:
    world.commit(3)
    world.wait(WEEK_MS + CHECK_MS)

    assert world.group_ids() == []


def test_an_empty_groups_retention_counts_from_when_it_became_empty(world: World) -> None:
    leader, follower = world.stable_pair()
    world.commit(3, leader, 1)
    for _ in range(120):
        world.wait(8_000)
        world.heartbeat(leader, 1)
        world.heartbeat(follower, 1)
    world.leave(leader, follower)

    world.wait(WEEK_MS - 1)
    assert world.committed() == 3
    world.wait(CHECK_MS)
    assert world.committed() == -1


def test_an_offset_with_a_time_of_its_own_expires_then(world: World) -> None:
    world.commit(3, version=2, retention_time_ms=1_000)
    world.wait(CHECK_MS)

    assert world.committed() == -1


def test_an_offset_of_a_topic_that_is_read_does_not_expire() -> None:
    world = World(offsets_retention_minutes="1", offsets_retention_check_interval_ms="1000")
    leader, follower = world.stable_pair()
    world.commit(3, leader, 1)
    for _ in range(20):
        world.wait(8_000)
        world.heartbeat(leader, 1)
        world.heartbeat(follower, 1)

    assert world.committed() == 3


def test_an_offset_of_an_open_transaction_is_unstable(world: World) -> None:
    world.commit(1)
    transactional(world, 9, producer_id=5)
    later = world.restarted()

    assert later.committed() == 1
    assert later.committed(require_stable=True) is ErrorCode.UNSTABLE_OFFSET_COMMIT


@pytest.mark.parametrize(("is_commit", "offset"), [(True, 9), (False, 1)])
def test_a_transactions_end_decides_about_its_offset(world: World, is_commit: bool, offset: int) -> None:
    world.commit(1)
    transactional(world, 9, producer_id=5)
    marker(world, 5, is_commit=is_commit)

    assert world.restarted().committed(require_stable=True) == offset


def test_a_later_commit_wins_over_a_transaction_that_ends_after_it(world: World) -> None:
    transactional(world, 9, producer_id=5)
    world.commit(10)
    marker(world, 5, is_commit=True)

    assert world.restarted().committed() == 10


def test_an_offset_of_another_topic_id_is_not_told(world: World) -> None:
    key, value = encode_record(
        offset_record(GROUP, ORDERS, 0, OffsetCommitValue(offset=9, commit_timestamp=NOW, topic_id=Uuid(b"x" * 16)))
    )
    world.log.append(world.groups.partition_for(GROUP), encode_batch([Record(0, NOW, key, value)]), 0, NOW)

    assert world.topics[ORDERS].id == ORDERS_ID
    assert world.restarted().committed() == -1
