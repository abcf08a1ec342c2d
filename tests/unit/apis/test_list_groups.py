"""ListGroups as a client meets it."""

from __future__ import annotations

import pytest
from broker_with_groups import GROUP, BrokerWithGroups

from reference_broker.apis import list_groups
from reference_broker.wire.messages.list_groups_request import ListGroupsRequest


@pytest.fixture
def broker() -> BrokerWithGroups:
    broker = BrokerWithGroups()
    broker.create_offsets_topic()
    broker.create("orders")
    broker.member()
    broker.commit(1, group="simple")
    return broker


def listed(broker: BrokerWithGroups, version: int = 5, **filters: tuple[str, ...]) -> list[tuple[str, ...]]:
    groups = broker.ask(list_groups, ListGroupsRequest(**filters), version).groups  # type: ignore[arg-type]
    return sorted((one.group_id, one.group_state, one.group_type) for one in groups)


def test_all_groups_are_listed(broker: BrokerWithGroups) -> None:
    assert listed(broker) == [(GROUP, "Stable", "classic"), ("simple", "Empty", "classic")]


@pytest.mark.parametrize("version", range(4))
def test_before_version_four_no_state_is_told(broker: BrokerWithGroups, version: int) -> None:
    assert len(listed(broker, version)) == 2


@pytest.mark.parametrize("state", ["Empty", "EMPTY", " empty "])
def test_a_filter_by_state_ignores_case(broker: BrokerWithGroups, state: str) -> None:
    assert [one[0] for one in listed(broker, 4, states_filter=(state,))] == ["simple"]


@pytest.mark.parametrize(("kind", "count"), [("Classic", 2), ("consumer", 0), ("bogus", 0)])
def test_a_filter_by_type(broker: BrokerWithGroups, kind: str, count: int) -> None:
    assert len(listed(broker, types_filter=(kind,))) == count


def test_a_broker_that_leads_nothing_lists_nothing() -> None:
    assert listed(BrokerWithGroups()) == []
