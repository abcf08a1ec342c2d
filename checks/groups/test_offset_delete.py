"""OffsetDelete (key 47) deletes committed offsets of a group.

**Claim** A deleted offset is returned as -1 afterwards, and other offsets are unchanged; offsets of a topic to which a
member is subscribed are kept; an invalid deletion is refused.
**Why it matters** If committed offsets are lost, consumers read records again or skip some.
**Kafka says** Protocol guide, OffsetDelete; KIP-496.
**Cannot see** Groups of the consumer protocol of KIP-848.
**Rejects** tests/plants/deletes_every_offset_of_a_topic.py, tests/plants/deletes_offsets_that_are_read.py,
tests/plants/deletes_what_is_not_there.py, tests/plants/hangs_up_on_an_empty_request.py,
tests/plants/serves_groups_without_a_name.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import commit, coordinated, offsets, stable, subscription
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.offset_delete_request import (
    OffsetDeleteRequest,
    OffsetDeleteRequestPartition,
    OffsetDeleteRequestTopic,
)
from reference_broker.wire.primitives import GroupId, TopicName

pytestmark = [
    pytest.mark.feature("OffsetDelete"),
    pytest.mark.kip(496),
    pytest.mark.document(
        "Protocol guide, OffsetDelete", "https://kafka.apache.org/protocol.html#The_Messages_OffsetDelete"
    ),
]


def group(exchange: Exchange) -> str:
    """The name of a new group."""
    coordinated(exchange)
    return exchange.name("readers")


def request(name: str, topic: str, *partitions: int) -> OffsetDeleteRequest:
    wanted = tuple(OffsetDeleteRequestPartition(partition_index=index) for index in partitions)
    return OffsetDeleteRequest(
        group_id=GroupId(name), topics=(OffsetDeleteRequestTopic(name=TopicName(topic), partitions=wanted),)
    )


def kept(exchange: Exchange, name: str, topic: str) -> int:
    """The group's offset of partition 0; -1 for none."""
    found = exchange.quietly(offsets(7, name, {topic: (0,)}), 7).topics[0].partitions[0]
    offset: int = found.committed_offset
    return offset


def test_an_offset_is_deleted(exchange: Exchange) -> None:
    """One offset is deleted, another is kept."""
    name, topic = group(exchange), exchange.topic(partitions=2)
    for partition in (0, 1):
        exchange.quietly(commit(name, topic, 42, partition=partition), 7)
    answer = exchange.ask("partition 0 of two", request(name, topic, 0), 0)
    assert answer.topics[0].partitions[0].error_code == ErrorCode.NONE
    found = exchange.ask("the offsets then", offsets(7, name, {topic: (0, 1)}), 7).topics[0].partitions
    assert {one.partition_index: one.committed_offset for one in found} == {0: -1, 1: 42}


def test_an_offset_that_is_not_there(exchange: Exchange) -> None:
    """Deleting an offset that was never committed succeeds, and the others stay."""
    name, topic = group(exchange), exchange.topic(partitions=2)
    exchange.quietly(commit(name, topic, 42), 7)
    answer = exchange.ask("partition 1, never committed", request(name, topic, 1), 0)

    assert answer.topics[0].partitions[0].error_code == ErrorCode.NONE
    assert kept(exchange, name, topic) == 42


def test_an_unknown_group_is_refused(exchange: Exchange) -> None:
    """A group that does not exist is refused with GROUP_ID_NOT_FOUND."""
    answer = exchange.ask("a group that is not there", request(group(exchange), exchange.topic(), 0), 0)

    assert answer.error_code == ErrorCode.GROUP_ID_NOT_FOUND


def test_a_group_has_a_name(exchange: Exchange) -> None:
    """The empty group id is refused."""
    coordinated(exchange)
    answer = exchange.ask("a group without a name", request("", exchange.topic(), 0), 0)

    assert answer.error_code == ErrorCode.INVALID_GROUP_ID


def test_an_unknown_topic_is_refused(exchange: Exchange) -> None:
    """A topic that does not exist is refused."""
    name = group(exchange)
    exchange.quietly(commit(name, exchange.topic(), 42), 7)
    answer = exchange.ask("a topic that is not there", request(name, exchange.name("nowhere"), 0), 0)

    assert answer.topics[0].partitions[0].error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


def test_an_unknown_partition_is_refused(exchange: Exchange) -> None:
    """A partition that does not exist is refused."""
    name, topic = group(exchange), exchange.topic()
    exchange.quietly(commit(name, topic, 42), 7)
    answer = exchange.ask("partition 9 of one", request(name, topic, 9), 0)

    assert answer.topics[0].partitions[0].error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


def test_a_topic_that_is_read_keeps_its_offsets(exchange: Exchange) -> None:
    """Offsets of a topic to which a member is subscribed are kept; those of another topic can be deleted."""
    name, topic, other = group(exchange), exchange.topic("read"), exchange.topic("unread")
    for one in (topic, other):
        exchange.quietly(commit(name, one, 42), 7)
    stable(exchange, name, protocols={"range": subscription(topic)})
    answer = exchange.ask("a topic that is read", request(name, topic, 0), 0)
    assert answer.topics[0].partitions[0].error_code == ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC
    answer = exchange.ask("a topic that is not read", request(name, other, 0), 0)
    assert answer.topics[0].partitions[0].error_code == ErrorCode.NONE
    assert (kept(exchange, name, topic), kept(exchange, name, other)) == (42, -1)


def test_a_group_of_another_type_with_members_is_refused(exchange: Exchange) -> None:
    """A group with members of another protocol type keeps all its offsets, because the coordinator does not know what
    they read."""
    name, topic = group(exchange), exchange.topic()
    exchange.quietly(commit(name, topic, 42), 7)
    stable(exchange, name, protocol_type="connect")
    answer = exchange.ask("a group of connectors", request(name, topic, 0), 0)

    assert answer.error_code == ErrorCode.NON_EMPTY_GROUP
    assert kept(exchange, name, topic) == 42


def test_no_topics_get_an_empty_answer(exchange: Exchange) -> None:
    """A request without topics is answered without topics."""
    name = group(exchange)
    exchange.quietly(commit(name, exchange.topic(), 42), 7)
    answer = exchange.ask("no topics", OffsetDeleteRequest(group_id=GroupId(name)), 0)

    assert (answer.error_code, answer.topics) == (ErrorCode.NONE, ())
