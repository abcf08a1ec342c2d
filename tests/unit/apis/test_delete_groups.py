"""DeleteGroups as a client meets it."""

from __future__ import annotations

import pytest
from broker_with_groups import GROUP, BrokerWithGroups

from reference_broker.apis import delete_groups
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.delete_groups_request import DeleteGroupsRequest
from reference_broker.wire.primitives import GroupId


@pytest.fixture
def broker() -> BrokerWithGroups:
    broker = BrokerWithGroups()
    broker.create_offsets_topic()
    broker.create("orders")
    return broker


def delete(broker: BrokerWithGroups, *groups: str, version: int = 2) -> dict[str, ErrorCode]:
    request = DeleteGroupsRequest(groups_names=tuple(map(GroupId, groups)))
    results = broker.ask(delete_groups, request, version).results
    return {one.group_id: ErrorCode(one.error_code) for one in results}


@pytest.mark.parametrize("version", range(3))
def test_each_group_has_its_own_result(broker: BrokerWithGroups, version: int) -> None:
    broker.member()
    broker.commit(1, group="simple")

    assert delete(broker, GROUP, "simple", "never", version=version) == {
        GROUP: ErrorCode.NON_EMPTY_GROUP,
        "simple": ErrorCode.NONE,
        "never": ErrorCode.GROUP_ID_NOT_FOUND,
    }


def test_a_group_that_is_named_twice_is_deleted_once(broker: BrokerWithGroups) -> None:
    broker.commit(1, group="simple")

    assert delete(broker, "simple", "simple") == {"simple": ErrorCode.NONE}


def test_a_deleted_group_has_no_offsets_after_a_restart(broker: BrokerWithGroups) -> None:
    broker.commit(1, group="simple")
    delete(broker, "simple")

    assert broker.restarted().committed("simple") == -1


def test_without_the_internal_topic_nobody_coordinates() -> None:
    assert delete(BrokerWithGroups(), GROUP) == {GROUP: ErrorCode.NOT_COORDINATOR}
