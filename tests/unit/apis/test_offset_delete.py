"""OffsetDelete as a client meets it."""

from __future__ import annotations

from typing import Any

import pytest
from broker_in_memory import codes
from broker_with_groups import GROUP, BrokerWithGroups

from reference_broker.apis import offset_delete
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.offset_delete_request import (
    OffsetDeleteRequest,
    OffsetDeleteRequestPartition,
    OffsetDeleteRequestTopic,
)
from reference_broker.wire.primitives import GroupId, TopicName


@pytest.fixture
def broker() -> BrokerWithGroups:
    broker = BrokerWithGroups()
    broker.create_offsets_topic()
    broker.create("orders")
    broker.commit(7)
    return broker


def delete(broker: BrokerWithGroups, *indexes: int, topic: str = "orders", group: str = GROUP) -> Any:
    partitions = tuple(OffsetDeleteRequestPartition(partition_index=one) for one in indexes)
    topics = (OffsetDeleteRequestTopic(name=TopicName(topic), partitions=partitions),)
    return broker.ask(offset_delete, OffsetDeleteRequest(group_id=GroupId(group), topics=topics))


def test_an_offset_goes(broker: BrokerWithGroups) -> None:
    assert codes(delete(broker, 0)) == [ErrorCode.NONE]
    assert broker.committed() == -1


def test_an_unknown_partition_is_refused_beside_one_that_is_there(broker: BrokerWithGroups) -> None:
    found = {one.partition_index: one.error_code for one in delete(broker, 0, 9).topics[0].partitions}

    assert found == {0: ErrorCode.NONE, 9: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION}


def test_an_unknown_topic_is_refused(broker: BrokerWithGroups) -> None:
    assert codes(delete(broker, 0, topic="never")) == [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]


@pytest.mark.parametrize(("group", "code"), [("", ErrorCode.INVALID_GROUP_ID), ("never", ErrorCode.GROUP_ID_NOT_FOUND)])
def test_a_group_that_is_none_is_refused(broker: BrokerWithGroups, group: str, code: ErrorCode) -> None:
    assert delete(broker, 0, group=group).error_code == code


def test_a_topic_that_is_read_is_refused(broker: BrokerWithGroups) -> None:
    broker.member()

    assert codes(delete(broker, 0)) == [ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC]
