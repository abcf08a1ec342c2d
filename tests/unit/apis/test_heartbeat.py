"""Heartbeat as a client meets it."""

from __future__ import annotations

import pytest
from broker_with_groups import GROUP, BrokerWithGroups

from reference_broker.apis import heartbeat
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.heartbeat_request import HeartbeatRequest
from reference_broker.wire.primitives import GroupId


@pytest.fixture
def broker() -> BrokerWithGroups:
    broker = BrokerWithGroups()
    broker.create_offsets_topic()
    return broker


def beat(broker: BrokerWithGroups, member_id: str, version: int = 4, group: str = GROUP) -> ErrorCode:
    request = HeartbeatRequest(group_id=GroupId(group), member_id=member_id, generation_id=1)
    return ErrorCode(broker.ask(heartbeat, request, version).error_code)


@pytest.mark.parametrize("version", range(5))
def test_a_member_is_alive(broker: BrokerWithGroups, version: int) -> None:
    member_id = broker.member()

    assert beat(broker, member_id, version) is ErrorCode.NONE


def test_a_stranger_is_refused(broker: BrokerWithGroups) -> None:
    assert beat(broker, "stranger") is ErrorCode.UNKNOWN_MEMBER_ID


def test_an_empty_group_id_is_refused(broker: BrokerWithGroups) -> None:
    assert beat(broker, "m", group="") is ErrorCode.INVALID_GROUP_ID


def test_without_the_internal_topic_nobody_coordinates() -> None:
    assert beat(BrokerWithGroups(), "m") is ErrorCode.NOT_COORDINATOR
