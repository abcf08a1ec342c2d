"""Node specs choose from what the cluster looks like, and from the seed alone."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.targets.cluster_view import ClusterView
from nemesis.node_specs import (
    NODE_SPECS,
    NoSuchNode,
    coordinator_of,
    exactly,
    followers_of,
    leader_of,
    majority,
    minority,
    node_spec_named,
    one_broker,
)

ORDERS = ("orders", 0)


def view_of(combined: int = 3, controllers_only: int = 0) -> ClusterView:
    """Brokers 1, 2, …; with controllers of their own (100, …) the brokers are no voters."""
    brokers = tuple(range(1, combined + 1))
    controllers = tuple(range(100, 100 + controllers_only)) or brokers
    return ClusterView(
        nodes=tuple(sorted({*brokers, *controllers})),
        brokers=brokers,
        controllers=controllers,
        active_controller=controllers[-1],
        leaders={ORDERS: 2},
        replicas={ORDERS: brokers},
        isr={ORDERS: brokers},
        coordinators={"billing": 1},
    )


views = st.builds(view_of, st.integers(1, 7), st.sampled_from([0, 1, 3, 5]))
seeds = st.integers(0, 2**32)


@pytest.mark.parametrize(
    ("name", "nodes"),
    [("leader", (2,)), ("followers", (1, 3)), ("controller", (3,)), ("coordinator", (1,)), ("all", (1, 2, 3))],
)
def test_a_role_is_who_has_it(name: str, nodes: tuple[int, ...]) -> None:
    assert node_spec_named(name)(view_of(), Random(1)) == nodes


def test_why_a_node_was_chosen_is_told() -> None:
    assert node_spec_named("leader").choose(view_of(), Random(1)).because == "leader of orders-0"


@given(views, seeds)
def test_a_minority_is_fewer_than_half_of_each_role(view: ClusterView, seed: int) -> None:
    try:
        chosen = set(minority(view, Random(seed)))
    except NoSuchNode:
        assert len(view.brokers) < 3
        return
    assert chosen
    assert all(2 * len(chosen & set(role)) < len(role) for role in (view.brokers, view.controllers))


@given(views, seeds)
def test_a_majority_is_more_than_half_of_each_role(view: ClusterView, seed: int) -> None:
    chosen = set(majority(view, Random(seed)))
    assert all(2 * len(chosen & set(role)) > len(role) for role in (view.brokers, view.controllers))


@given(views, seeds)
def test_a_broker_is_never_a_controller_only(view: ClusterView, seed: int) -> None:
    assert set(one_broker(view, Random(seed))) <= set(view.brokers)


@given(views, seeds)
def test_the_same_seed_chooses_the_same_nodes(view: ClusterView, seed: int) -> None:
    for spec in NODE_SPECS:
        assert _outcome(spec, view, seed) == _outcome(spec, view, seed)


def _outcome(spec: object, view: ClusterView, seed: int) -> object:
    try:
        return spec(view, Random(seed))  # type: ignore[operator]
    except NoSuchNode as trouble:
        return str(trouble)


def test_one_partition_and_one_group_can_be_named() -> None:
    chosen = [spec(view_of(), Random(1)) for spec in (leader_of("orders"), followers_of("orders"), exactly(3, 1))]
    assert [*chosen, coordinator_of("billing")(view_of(), Random(1))] == [(2,), (1, 3), (1, 3), (1,)]


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        (leader_of("orders", 1), "orders-1 has no leader now"),
        (coordinator_of("shipping"), "group shipping has no coordinator now"),
        (node_spec_named("controller"), "no controller is active now"),
    ],
)
def test_a_role_that_nobody_has_is_trouble(spec: object, complaint: str) -> None:
    view = ClusterView(nodes=(1,), brokers=(1,))
    with pytest.raises(NoSuchNode, match=complaint):
        spec(view, Random(1))  # type: ignore[operator]


def test_an_unknown_kind_of_nodes_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown nodes 'leaders' .*one, broker, voter, minority"):
        node_spec_named("leaders")
