"""DescribeGroups as a client meets it."""

from __future__ import annotations

from typing import Any

import pytest
from broker_with_groups import GROUP, BrokerWithGroups

from reference_broker.apis import describe_groups
from reference_broker.apis.operations import GROUP_OPERATIONS, NOT_ASKED
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_groups_request import DescribeGroupsRequest


@pytest.fixture
def broker() -> BrokerWithGroups:
    broker = BrokerWithGroups()
    broker.create_offsets_topic()
    return broker


def describe(broker: BrokerWithGroups, version: int, *, with_operations: bool = False) -> Any:
    request = DescribeGroupsRequest(groups=(GROUP,), include_authorized_operations=with_operations)
    return broker.ask(describe_groups, request, version).groups[0]


@pytest.mark.parametrize("version", range(7))
def test_a_stable_group_is_described(broker: BrokerWithGroups, version: int) -> None:
    member_id = broker.member()

    described = describe(broker, version)
    assert (described.group_state, described.protocol_data) == ("Stable", "range")
    assert [member.member_id for member in described.members] == [member_id]


@pytest.mark.parametrize("version", range(6))
def test_before_version_six_an_unknown_group_is_dead(broker: BrokerWithGroups, version: int) -> None:
    described = describe(broker, version)

    assert (described.error_code, described.group_state) == (ErrorCode.NONE, "Dead")


def test_from_version_six_on_an_unknown_group_is_an_error(broker: BrokerWithGroups) -> None:
    described = describe(broker, 6)

    assert (described.error_code, described.error_message) == (ErrorCode.GROUP_ID_NOT_FOUND, "Group shop not found.")


def test_operations_are_told_where_asked(broker: BrokerWithGroups) -> None:
    broker.member()

    assert describe(broker, 6, with_operations=True).authorized_operations == GROUP_OPERATIONS
    assert describe(broker, 6).authorized_operations == NOT_ASKED


def test_without_the_internal_topic_nobody_coordinates() -> None:
    assert describe(BrokerWithGroups(), 6).error_code == ErrorCode.NOT_COORDINATOR
