"""OffsetCommit (key 8) stores how far a group has read.

**Claim** A committed offset is returned afterwards, with its metadata and epoch; a client that may not commit, and an
invalid commit, are refused and change nothing.
**Why it matters** After a restart consumers continue from here: a wrong offset repeats records or skips them.
**Kafka says** Protocol guide, OffsetCommit; KIP-211 (retention of offsets), KIP-345 (static members), KIP-848 (epochs).
**Cannot see** Offsets of transactions; how long offsets are kept.
**Rejects** tests/plants/commits_for_what_is_not_there.py, tests/plants/commits_one_too_far.py,
tests/plants/drops_what_goes_with_an_offset.py, tests/plants/fences_no_instance.py,
tests/plants/hangs_up_on_an_empty_request.py, tests/plants/keeps_offsets_that_it_refuses.py,
tests/plants/looks_at_no_generation.py, tests/plants/refuses_what_kafka_takes.py,
tests/plants/tells_members_that_there_is_no_group.py,
tests/plants/waits_for_nobody.py
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
    offsets,
    stable,
    variants,
    versions,
)
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.offset_commit_request import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
)
from reference_broker.wire.messages.offset_commit_response import OffsetCommitResponse
from reference_broker.wire.primitives import GroupId, TopicName, Uuid

pytestmark = [
    pytest.mark.feature("OffsetCommit"),
    pytest.mark.kip(211, 345, 848),
    pytest.mark.document(
        "Protocol guide, OffsetCommit", "https://kafka.apache.org/protocol.html#The_Messages_OffsetCommit"
    ),
]

NO_SUCH_ID = Uuid(bytes(range(16)))


def group(exchange: Exchange) -> str:
    """The name of a new group."""
    coordinated(exchange)
    return exchange.name("readers")


def at(exchange: Exchange, topic: str, version: int) -> str | Uuid:
    """The topic's name, or from version 10 on its id."""
    return exchange.topic_id(topic) if version >= 10 else topic


def code(answer: OffsetCommitResponse) -> int:
    ((found,),) = (one.partitions for one in answer.topics)
    return found.error_code


def kept(exchange: Exchange, name: str, topic: str, partition: int = 0) -> int:
    """The group's committed offset, as OffsetFetch returns it; -1 for none."""
    found = exchange.quietly(offsets(7, name, {topic: (partition,)}), 7).topics[0].partitions[0]
    offset: int = found.committed_offset
    return offset


def as_member(member: str, generation: int, **more: object) -> dict[str, object]:
    return {"member_id": member, "generation_id_or_member_epoch": generation, **more}


@all_versions(2, 10)
def test_an_offset_is_kept(exchange: Exchange, version: int) -> None:
    """An offset that was committed to a group without members is returned, with its metadata."""
    name, topic = group(exchange), exchange.topic()
    request = commit(name, at(exchange, topic, version), 42, metadata="a note")
    assert code(exchange.ask("offset 42 with a note", request, version)) == ErrorCode.NONE
    found = exchange.ask("the offset then", offsets(7, name, {topic: (0,)}), 7).topics[0].partitions[0]
    assert (found.committed_offset, found.metadata) == (42, "a note")


@all_versions(2, 10)
def test_a_member_commits(exchange: Exchange, version: int) -> None:
    """A member of the current generation may commit."""
    name, topic = group(exchange), exchange.topic()
    member, generation = stable(exchange, name)
    request = commit(name, at(exchange, topic, version), 42, **as_member(member, generation))
    assert code(exchange.ask("offset 42 of a member", request, version)) == ErrorCode.NONE
    assert kept(exchange, name, topic) == 42


@versions(2, 7, 9)
def test_an_offset_may_go_back(exchange: Exchange, version: int) -> None:
    """The last committed offset is returned, whether it is higher or lower than the one before."""
    name, topic = group(exchange), exchange.topic()
    for offset in (42, 7, 100):
        assert code(exchange.ask(f"offset {offset}", commit(name, topic, offset), version)) == ErrorCode.NONE
        found = exchange.ask("the offset then", offsets(7, name, {topic: (0,)}), 7).topics[0].partitions[0]
        assert found.committed_offset == offset


@pytest.mark.parametrize("offset", [-1, -2, 9_223_372_036_854_775_807])
def test_odd_offsets(exchange: Exchange, offset: int) -> None:
    """Any offset is stored as it is, even if the partition has no record there."""
    name, topic = group(exchange), exchange.topic()
    assert code(exchange.ask(f"offset {offset}", commit(name, topic, offset), 7)) == ErrorCode.NONE
    found = exchange.ask("the offset then", offsets(7, name, {topic: (0,)}), 7).topics[0].partitions[0]
    assert (found.committed_offset, found.error_code) == (offset, ErrorCode.NONE)


@versions(6, 8, 9)
def test_a_leader_epoch_is_kept(exchange: Exchange, version: int) -> None:
    """From version 6 on a leader epoch can be committed with an offset, and is returned with it."""
    name, topic = group(exchange), exchange.topic()
    partition = OffsetCommitRequestPartition(partition_index=0, committed_offset=42, committed_leader_epoch=3)
    request = OffsetCommitRequest(
        group_id=GroupId(name), topics=(OffsetCommitRequestTopic(name=topic, partitions=(partition,)),)
    )
    exchange.ask("offset 42 of epoch 3", request, version)
    found = exchange.ask("the offset then", offsets(7, name, {topic: (0,)}), 7).topics[0].partitions[0]
    assert found.committed_leader_epoch == 3
    for later in (8, 9):
        (of_group,) = exchange.ask("the group's offset then", offsets(later, name, {topic: (0,)}), later).groups
        assert of_group.topics[0].partitions[0].committed_leader_epoch == 3


@variants("metadata", null=None, empty="", korean="안녕하세요", longest="m" * 4096)
@versions(2, 9)
def test_metadata(exchange: Exchange, version: int, metadata: str | None) -> None:
    """Metadata of up to 4,096 bytes are returned as they were sent; null is returned as an empty string."""
    name, topic = group(exchange), exchange.topic()
    request = commit(name, topic, 1, metadata=metadata)
    assert code(exchange.ask("metadata", request, version)) == ErrorCode.NONE
    found = exchange.ask("the offset then", offsets(7, name, {topic: (0,)}), 7).topics[0].partitions[0]
    assert (found.committed_offset, found.metadata) == (1, metadata or "")


@versions(2, 7, 9)
def test_metadata_that_are_too_long_are_refused(exchange: Exchange, version: int) -> None:
    """Metadata of more than 4,096 bytes are refused, and the offset is not stored."""
    name, topic = group(exchange), exchange.topic()
    answer = exchange.ask("4,097 bytes of metadata", commit(name, topic, 1, metadata="m" * 4097), version)
    assert code(answer) == ErrorCode.OFFSET_METADATA_TOO_LARGE
    found = exchange.ask("the offset then", offsets(7, name, {topic: (0,)}), 7).topics[0].partitions[0]
    assert found.committed_offset == -1


@versions(2, 7, 9)
def test_an_unknown_topic_is_refused(exchange: Exchange, version: int) -> None:
    """A commit for a topic that does not exist is refused."""
    name, nowhere = group(exchange), exchange.name("nowhere")
    answer = exchange.ask("a topic that is not there", commit(name, nowhere, 1), version)

    assert code(answer) == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    assert kept(exchange, name, nowhere) == -1


@variants("topic_id", unknown=NO_SUCH_ID, zero=Uuid(bytes(16)))
def test_an_unknown_id_is_refused(exchange: Exchange, topic_id: Uuid) -> None:
    """From version 10 on topics are named by id only; an unknown id is refused."""
    answer = exchange.ask("an id that no topic has", commit(group(exchange), topic_id, 1), 10)

    assert code(answer) == ErrorCode.UNKNOWN_TOPIC_ID


@pytest.mark.parametrize("partition", [1, -1])
@versions(2, 9, 10)
def test_an_unknown_partition_is_refused(exchange: Exchange, version: int, partition: int) -> None:
    """A partition that does not exist is refused."""
    name, topic = group(exchange), exchange.topic()
    request = commit(name, at(exchange, topic, version), 1, partition=partition)
    answer = exchange.ask(f"partition {partition} of one", request, version)

    assert code(answer) == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    assert kept(exchange, name, topic, partition) == -1


@versions(2, 7, 9)
def test_each_partition_has_an_answer_of_its_own(exchange: Exchange, version: int) -> None:
    """In one request a valid offset is stored and invalid ones are refused, each with its own error."""
    name, topic, other = group(exchange), exchange.topic(partitions=2), exchange.name("nowhere")

    def wanted(index: int, metadata: str = "") -> OffsetCommitRequestPartition:
        return OffsetCommitRequestPartition(partition_index=index, committed_offset=1, committed_metadata=metadata)

    request = OffsetCommitRequest(
        group_id=GroupId(name),
        topics=(
            OffsetCommitRequestTopic(name=TopicName(other), partitions=(wanted(0),)),
            OffsetCommitRequestTopic(name=topic, partitions=(wanted(0), wanted(1, "m" * 5000), wanted(5))),
        ),
    )
    answer = exchange.ask("a good one, three that cannot be", request, version)
    found = {(one.name, part.partition_index): part.error_code for one in answer.topics for part in one.partitions}
    assert found == {
        (other, 0): ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        (topic, 0): ErrorCode.NONE,
        (topic, 1): ErrorCode.OFFSET_METADATA_TOO_LARGE,
        (topic, 5): ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    }
    assert [kept(exchange, name, topic, index) for index in (0, 1, 5)] == [1, -1, -1]


@versions(2, 7, 9)
def test_a_group_has_a_name(exchange: Exchange, version: int) -> None:
    """A commit of a member of the empty group id is refused."""
    exchange.turn_to_coordinator("")
    coordinated(exchange)
    request = commit("", exchange.topic(), 1, **as_member("somebody", 1))
    answer = exchange.ask("somebody of a group without a name", request, version)

    assert code(answer) == (ErrorCode.GROUP_ID_NOT_FOUND if version >= 9 else ErrorCode.ILLEGAL_GENERATION)


@versions(2, 7, 8, 9)
def test_a_generation_of_a_group_that_is_not_there(exchange: Exchange, version: int) -> None:
    """A commit with a generation is refused in a group that does not exist."""
    request = commit(group(exchange), exchange.topic(), 1, **as_member("somebody", 1))
    answer = exchange.ask("generation 1 of a group that is not there", request, version)

    assert code(answer) == (ErrorCode.GROUP_ID_NOT_FOUND if version >= 9 else ErrorCode.ILLEGAL_GENERATION)


@versions(2, 7, 9)
def test_a_stranger_is_refused(exchange: Exchange, version: int) -> None:
    """In a group that has members, only members of the current generation may commit."""
    name, topic = group(exchange), exchange.topic()
    member, generation = stable(exchange, name)
    for words, more, expected in (
        ("somebody", as_member("somebody", generation), ErrorCode.UNKNOWN_MEMBER_ID),
        ("nobody", as_member("", -1), ErrorCode.UNKNOWN_MEMBER_ID),
        ("the member in an older generation", as_member(member, generation - 1), ErrorCode.ILLEGAL_GENERATION),
        ("the member in a newer generation", as_member(member, generation + 1), ErrorCode.ILLEGAL_GENERATION),
        ("the member in no generation", as_member(member, -1), ErrorCode.ILLEGAL_GENERATION),
    ):
        answer = exchange.ask(words, commit(name, topic, 1, **more), version)
        assert code(answer) == expected
    found = exchange.ask("the offset then", offsets(7, name, {topic: (0,)}), 7).topics[0].partitions[0]
    assert found.committed_offset == -1


@versions(2, 7, 9)
def test_before_its_assignment_a_member_waits(exchange: Exchange, version: int) -> None:
    """A member that waits for its assignment cannot commit."""
    name, topic = group(exchange), exchange.topic()
    member, generation = joined(exchange, name)
    request = commit(name, topic, 1, **as_member(member, generation))
    answer = exchange.ask("a member before its assignment", request, version)

    assert code(answer) == ErrorCode.REBALANCE_IN_PROGRESS
    assert kept(exchange, name, topic) == -1


@versions(2, 9)
def test_while_others_gather_a_member_commits(exchange: Exchange, version: int) -> None:
    """During a rebalance members of the old generation may still commit."""
    name, topic = group(exchange), exchange.topic()
    member, generation = stable(exchange, name)
    pending = exchange.start("a second member", join(name), 3)
    assert not pending.is_answered(0.15)
    answer = exchange.ask("the first member", commit(name, topic, 1, **as_member(member, generation)), version)

    assert code(answer) == ErrorCode.NONE
    assert kept(exchange, name, topic) == 1


@versions(7, 9)
def test_an_instance_with_another_member_id_is_fenced(exchange: Exchange, version: int) -> None:
    """A commit with an instance id and another member id is fenced; one with an unknown instance id is refused."""
    name, topic = group(exchange), exchange.topic()
    own = exchange.quietly(join(name, group_instance_id="i1"), 7)
    for words, member, instance, expected in (
        ("i1 as somebody", "somebody", "i1", ErrorCode.FENCED_INSTANCE_ID),
        ("i2, which never joined", own.member_id, "i2", ErrorCode.UNKNOWN_MEMBER_ID),
    ):
        request = commit(name, topic, 1, **as_member(member, 1, group_instance_id=instance))
        assert code(exchange.ask(words, request, version)) == expected
    assert kept(exchange, name, topic) == -1


@versions(2, 4)
def test_a_time_to_keep_may_be_given(exchange: Exchange, version: int) -> None:
    """In versions 2 to 4 a commit may contain a retention time; the offset is stored."""
    name, topic = group(exchange), exchange.topic()
    request = commit(name, topic, 1, retention_time_ms=60_000)
    assert code(exchange.ask("keep for a minute", request, version)) == ErrorCode.NONE
    assert kept(exchange, name, topic) == 1


@versions(2, 9)
def test_no_topics_get_an_empty_answer(exchange: Exchange, version: int) -> None:
    """A request without topics is answered without topics."""
    request = OffsetCommitRequest(group_id=GroupId(group(exchange)))
    assert exchange.ask("no topics", request, version).topics == ()
