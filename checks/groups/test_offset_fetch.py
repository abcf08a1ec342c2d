"""OffsetFetch (key 9) returns how far a group has read.

**Claim** A committed offset is returned as it was committed, with its metadata; one that was not committed is -1,
without an error; topics are named by name or by id, and one request may ask for several groups, or for all topics of a
group.
**Why it matters** Every consumer starts with this request.
**Kafka says** Protocol guide, OffsetFetch; KIP-447 (stable offsets), KIP-709 (several groups), KIP-848 (epochs).
**Cannot see** Offsets of open transactions.
**Rejects** tests/plants/commits_one_too_far.py, tests/plants/drops_what_goes_with_an_offset.py,
tests/plants/finds_no_committed_offset.py, tests/plants/finds_no_error_in_an_unknown_id.py,
tests/plants/hangs_up_on_an_empty_request.py, tests/plants/refuses_offsets_of_unknown_groups.py,
tests/plants/tells_a_missing_offset_as_an_error.py, tests/plants/tells_nothing_for_all.py
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import (
    all_versions,
    commit,
    coordinated,
    offsets,
    stable,
    variants,
    versions,
)
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.offset_fetch_request import (
    OffsetFetchRequest,
    OffsetFetchRequestGroup,
    OffsetFetchRequestTopics,
)
from reference_broker.wire.messages.offset_fetch_response import OffsetFetchResponse
from reference_broker.wire.primitives import GroupId, TopicName, Uuid

pytestmark = [
    pytest.mark.feature("OffsetFetch"),
    pytest.mark.kip(447, 709, 848),
    pytest.mark.document(
        "Protocol guide, OffsetFetch", "https://kafka.apache.org/protocol.html#The_Messages_OffsetFetch"
    ),
]

NO_SUCH_ID = Uuid(bytes(range(16)))


def group(exchange: Exchange, label: str = "readers") -> str:
    """The name of a new group."""
    coordinated(exchange)
    return exchange.name(label)


def at(exchange: Exchange, topic: str, version: int) -> str | Uuid:
    """The topic's name, or from version 10 on its id."""
    return exchange.topic_id(topic) if version >= 10 else topic


def told(answer: OffsetFetchResponse, version: int) -> list[tuple[int, int, int]]:
    """(partition, offset, error) of each partition in the answer, from the fields that the version uses."""
    topics = answer.groups[0].topics if version >= 8 else answer.topics
    return offsets_in(topics)


def offsets_in(topics: Iterable[Any]) -> list[tuple[int, int, int]]:
    """(partition, offset, error) of all partitions of some topics."""
    return sorted(
        (part.partition_index, part.committed_offset, part.error_code) for one in topics for part in one.partitions
    )


def committed(exchange: Exchange) -> tuple[str, TopicName]:
    """A group that has committed offset 42 in partition 0 of a topic with two partitions."""
    name, topic = group(exchange), exchange.topic(partitions=2)
    exchange.quietly(commit(name, topic, 42, metadata="a note"), 7)
    return name, topic


@all_versions(1, 10)
def test_offsets_are_told(exchange: Exchange, version: int) -> None:
    """A committed offset is returned with its metadata; an offset that was not committed is -1."""
    name, topic = committed(exchange)
    request = offsets(version, name, {at(exchange, topic, version): (0, 1)})
    answer = exchange.ask("two partitions, one committed", request, version)

    assert told(answer, version) == [(0, 42, 0), (1, -1, 0)]
    (topic_told,) = answer.groups[0].topics if version >= 8 else answer.topics
    assert {part.partition_index: part.metadata for part in topic_told.partitions} == {0: "a note", 1: ""}


@all_versions(2, 10)
def test_all_offsets_are_told(exchange: Exchange, version: int) -> None:
    """From version 2 on a null list of topics means all topics of the group."""
    name, _ = committed(exchange)
    answer = exchange.ask("all topics", offsets(version, name, None), version)

    assert told(answer, version) == [(0, 42, 0)]


@all_versions(1, 10)
def test_an_unknown_group_has_no_offsets(exchange: Exchange, version: int) -> None:
    """A group that nobody has used has no offsets, and that is no error."""
    topic = exchange.topic()
    request = offsets(version, group(exchange), {at(exchange, topic, version): (0,)})
    answer = exchange.ask("a group that nobody has used", request, version)

    assert told(answer, version) == [(0, -1, 0)]


@versions(2, 7, 8, 10)
def test_all_offsets_of_an_unknown_group(exchange: Exchange, version: int) -> None:
    """A group that nobody has used has no topics, and that is no error."""
    answer = exchange.ask(
        "all topics of a group that nobody has used", offsets(version, group(exchange), None), version
    )

    error = answer.groups[0].error_code if version >= 8 else answer.error_code
    assert (error, told(answer, version)) == (ErrorCode.NONE, [])


@versions(1, 7, 8, 9)
def test_an_unknown_topic(exchange: Exchange, version: int) -> None:
    """A topic that does not exist has no offset, and that is no error."""
    request = offsets(version, group(exchange), {exchange.name("nowhere"): (0,)})
    answer = exchange.ask("a topic that is not there", request, version)

    assert told(answer, version) == [(0, -1, 0)]


@variants("topic_id", unknown=NO_SUCH_ID, zero=Uuid(bytes(16)))
def test_an_unknown_id_is_refused(exchange: Exchange, topic_id: Uuid) -> None:
    """A topic id that no topic has is answered with UNKNOWN_TOPIC_ID."""
    answer = exchange.ask("an id that no topic has", offsets(10, group(exchange), {topic_id: (0,)}), 10)

    assert told(answer, 10) == [(0, -1, ErrorCode.UNKNOWN_TOPIC_ID)]


@pytest.mark.parametrize("partition", [5, -1])
@versions(1, 7, 9)
def test_an_unknown_partition(exchange: Exchange, version: int, partition: int) -> None:
    """A partition that does not exist has no offset, and that is no error."""
    name, topic = committed(exchange)
    answer = exchange.ask(f"partition {partition} of two", offsets(version, name, {topic: (partition,)}), version)

    assert told(answer, version) == [(partition, -1, 0)]


@versions(1, 7, 8, 9)
def test_the_empty_name(exchange: Exchange, version: int) -> None:
    """The empty group id has no offsets, and that is no error."""
    exchange.turn_to_coordinator("")
    coordinated(exchange)
    answer = exchange.ask("a group without a name", offsets(version, "", {exchange.topic(): (0,)}), version)

    assert told(answer, version) == [(0, -1, 0)]


@versions(7, 8, 9)
def test_stable_offsets(exchange: Exchange, version: int) -> None:
    """Without transactions, a request for stable offsets gets the committed offset."""
    name, topic = committed(exchange)
    answer = exchange.ask("stable offsets", offsets(version, name, {topic: (0,)}, stable_only=True), version)

    assert told(answer, version) == [(0, 42, 0)]


@versions(8, 9)
def test_several_groups(exchange: Exchange, version: int) -> None:
    """From version 8 on a request may name several groups, each with its own topics."""
    name, topic = committed(exchange)
    other = group(exchange, "others")
    wanted = (OffsetFetchRequestTopics(name=topic, partition_indexes=(0, 1)),)
    request = OffsetFetchRequest(
        groups=(
            OffsetFetchRequestGroup(group_id=GroupId(name), topics=wanted),
            OffsetFetchRequestGroup(group_id=GroupId(other), topics=wanted),
            OffsetFetchRequestGroup(group_id=GroupId(name), topics=None),
        )
    )
    answer = exchange.ask("two groups, one of them twice", request, version)

    found = [(one.group_id, one.error_code, offsets_in(one.topics)) for one in answer.groups]
    assert sorted(found) == sorted(
        [
            (name, ErrorCode.NONE, [(0, 42, 0), (1, -1, 0)]),
            (other, ErrorCode.NONE, [(0, -1, 0), (1, -1, 0)]),
            (name, ErrorCode.NONE, [(0, 42, 0)]),
        ]
    )


@versions(8, 10)
def test_no_groups_get_an_empty_answer(exchange: Exchange, version: int) -> None:
    """A request without groups is answered without groups."""
    assert exchange.ask("no groups", OffsetFetchRequest(), version).groups == ()


@versions(1, 7, 8)
def test_no_topics(exchange: Exchange, version: int) -> None:
    """An empty list of topics is answered without topics; only null means all topics."""
    name, _ = committed(exchange)
    answer = exchange.ask("no topics", offsets(version, name, {}), version)

    assert told(answer, version) == []


@pytest.mark.parametrize(("member", "epoch"), [("somebody", 1), ("somebody", -1), ("", -1), (None, 5)])
@versions(9, 10)
def test_members_and_epochs_do_not_count_in_a_classic_group(
    exchange: Exchange, version: int, member: str | None, epoch: int
) -> None:
    """From version 9 on a request may contain a member id and epoch; in a classic group without members they are
    ignored."""
    name, topic = committed(exchange)
    where = at(exchange, topic, version)
    wanted = OffsetFetchRequestTopics(
        name=TopicName(where) if isinstance(where, str) else TopicName(""),
        topic_id=where if isinstance(where, bytes) else Uuid(bytes(16)),
        partition_indexes=(0,),
    )
    request = OffsetFetchRequest(
        groups=(
            OffsetFetchRequestGroup(group_id=GroupId(name), member_id=member, member_epoch=epoch, topics=(wanted,)),
        )
    )
    answer = exchange.ask(f"member {member!r} of epoch {epoch}", request, version)

    assert (answer.groups[0].error_code, told(answer, version)) == (ErrorCode.NONE, [(0, 42, 0)])


def test_a_member_and_epoch_of_an_unknown_group(exchange: Exchange) -> None:
    """A request with a member id for a group that does not exist gets no offset, and that is no error."""
    wanted = OffsetFetchRequestTopics(name=exchange.topic(), partition_indexes=(0,))
    request = OffsetFetchRequest(
        groups=(
            OffsetFetchRequestGroup(
                group_id=GroupId(group(exchange)), member_id="somebody", member_epoch=1, topics=(wanted,)
            ),
        )
    )
    answer = exchange.ask("somebody of a group that is not there", request, 9)

    assert (answer.groups[0].error_code, told(answer, 9)) == (ErrorCode.NONE, [(0, -1, 0)])


@versions(7, 9)
def test_anybody_may_ask(exchange: Exchange, version: int) -> None:
    """Any client may fetch the offsets of a group that has members."""
    name, topic = group(exchange), exchange.topic()
    exchange.quietly(commit(name, topic, 42), 7)
    stable(exchange, name)
    answer = exchange.ask("a group with a member", offsets(version, name, {topic: (0,)}), version)

    assert told(answer, version) == [(0, 42, 0)]
