"""OffsetFetch as a client meets it, in its three shapes."""

from __future__ import annotations

from typing import Any

import pytest
from broker_with_groups import GROUP, BrokerWithGroups

from reference_broker.apis import offset_fetch
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.offset_fetch_request import (
    OffsetFetchRequest,
    OffsetFetchRequestGroup,
    OffsetFetchRequestTopic,
    OffsetFetchRequestTopics,
)
from reference_broker.wire.primitives import GroupId, TopicName, Uuid

ORDERS = TopicName("orders")


@pytest.fixture
def broker() -> BrokerWithGroups:
    broker = BrokerWithGroups()
    broker.create_offsets_topic()
    broker.create("orders")
    broker.commit(7)
    return broker


def one_group(broker: BrokerWithGroups, version: int, topics: Any) -> Any:
    return broker.ask(offset_fetch, OffsetFetchRequest(group_id=GROUP, topics=topics), version)


def groups(broker: BrokerWithGroups, version: int, *asked: OffsetFetchRequestGroup) -> Any:
    return broker.ask(offset_fetch, OffsetFetchRequest(groups=asked), version).groups


@pytest.mark.parametrize("version", range(1, 8))
def test_an_offset_is_told(broker: BrokerWithGroups, version: int) -> None:
    response = one_group(broker, version, (OffsetFetchRequestTopic(name=ORDERS, partition_indexes=(0, 1)),))

    assert [one.committed_offset for one in response.topics[0].partitions] == [7, -1]


@pytest.mark.parametrize("version", range(2, 8))
def test_null_topics_ask_for_all(broker: BrokerWithGroups, version: int) -> None:
    response = one_group(broker, version, None)

    assert [(topic.name, topic.partitions[0].committed_offset) for topic in response.topics] == [("orders", 7)]


@pytest.mark.parametrize("version", [8, 9])
def test_several_groups_are_asked_at_once(broker: BrokerWithGroups, version: int) -> None:
    topics = (OffsetFetchRequestTopics(name=ORDERS, partition_indexes=(0,)),)
    found = groups(
        broker,
        version,
        OffsetFetchRequestGroup(group_id=GROUP, topics=topics),
        OffsetFetchRequestGroup(group_id=GroupId("never"), topics=topics),
    )

    assert [one.topics[0].partitions[0].committed_offset for one in found] == [7, -1]


def test_topics_are_asked_by_id(broker: BrokerWithGroups) -> None:
    topic_id = broker.controller.image.topics.by_name["orders"].id
    asked = tuple(OffsetFetchRequestTopics(topic_id=one, partition_indexes=(0,)) for one in (topic_id, Uuid(b"x" * 16)))
    (found,) = groups(broker, 10, OffsetFetchRequestGroup(group_id=GROUP, topics=asked))

    assert [(one.partitions[0].committed_offset, one.partitions[0].error_code) for one in found.topics] == [
        (7, ErrorCode.NONE),
        (-1, ErrorCode.UNKNOWN_TOPIC_ID),
    ]


def test_all_topics_are_told_by_id(broker: BrokerWithGroups) -> None:
    (found,) = groups(broker, 10, OffsetFetchRequestGroup(group_id=GROUP, topics=None))

    assert found.topics[0].topic_id == broker.controller.image.topics.by_name["orders"].id


@pytest.mark.parametrize("version", range(2, 8))
def test_the_error_of_one_group_is_that_of_the_answer(version: int) -> None:
    assert one_group(BrokerWithGroups(), version, None).error_code == ErrorCode.NOT_COORDINATOR


def test_in_version_one_errors_are_those_of_partitions() -> None:
    response = one_group(BrokerWithGroups(), 1, (OffsetFetchRequestTopic(name=ORDERS, partition_indexes=(0,)),))

    assert response.topics[0].partitions[0].error_code == ErrorCode.NOT_COORDINATOR


def test_each_group_has_its_own_error() -> None:
    (found,) = groups(BrokerWithGroups(), 8, OffsetFetchRequestGroup(group_id=GROUP, topics=None))

    assert found.error_code == ErrorCode.NOT_COORDINATOR
