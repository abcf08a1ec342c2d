"""Grudges: who no longer hears whom, and that each kind is what its name says."""

from __future__ import annotations

from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.targets.cluster_view import ClusterView
from nemesis.grudges import (
    GRUDGES,
    Cut,
    Grudge,
    bridge,
    deaf,
    grudge_named,
    halves,
    isolate,
    isolate_controller,
    isolate_leader,
    majorities_ring,
    mute,
    one_way_leader,
)
from nemesis.node_specs import NoSuchNode, every, exactly

sizes = st.integers(3, 9)
seeds = st.integers(0, 2**32)


def view_of(size: int = 3) -> ClusterView:
    nodes = tuple(range(1, size + 1))
    return ClusterView(
        nodes=nodes,
        brokers=nodes,
        controllers=nodes,
        active_controller=size,
        leaders={("orders", 0): 2},
        replicas={("orders", 0): nodes},
        coordinators={"billing": 1},
    )


def drawn(grudge: Grudge, size: int, seed: int = 1) -> Cut:
    view = view_of(size)
    return grudge.draw(view, view.nodes, Random(seed))


def heard_by(cut: Cut, size: int) -> dict[int, frozenset[int]]:
    """Node → whom it still hears, itself among them."""
    nodes = range(1, size + 1)
    return {who: frozenset(whom for whom in nodes if (who, whom) not in cut.links) for who in nodes}


@given(sizes, seeds)
def test_in_a_ring_every_node_hears_a_majority_and_no_two_the_same(size: int, seed: int) -> None:
    heard = heard_by(drawn(majorities_ring, size, seed), size)
    assert all(2 * len(others) > size for others in heard.values())
    assert len(set(heard.values())) == size


@given(sizes, seeds)
def test_in_a_ring_who_hears_a_node_is_heard_by_it(size: int, seed: int) -> None:
    links = drawn(majorities_ring, size, seed).links
    assert {(whom, who) for who, whom in links} == set(links)


@given(sizes, seeds)
def test_a_bridge_leaves_one_node_that_hears_all_and_two_halves_that_do_not_hear_each_other(
    size: int, seed: int
) -> None:
    heard = heard_by(drawn(bridge, size, seed), size)
    middle = [node for node, others in heard.items() if len(others) == size]
    halves_left = {others - set(middle) for node, others in heard.items() if node not in middle}
    assert len(middle) == 1
    assert len(halves_left) == 2
    assert not frozenset.intersection(*halves_left)
    assert abs(len(min(halves_left, key=len)) - len(max(halves_left, key=len))) <= 1


@given(st.integers(2, 9), seeds)
def test_halves_are_two_groups_of_which_each_hears_itself_only(size: int, seed: int) -> None:
    groups = set(heard_by(drawn(halves, size, seed), size).values())
    assert sorted(map(len, groups)) == [size // 2, size - size // 2]
    assert all(not (one & other) for one, other in combinations(groups, 2))


@given(sizes, seeds)
def test_an_isolated_leader_hears_only_itself(size: int, seed: int) -> None:
    cut = drawn(isolate_leader, size, seed)
    assert (heard_by(cut, size)[2], cut.cut_off, cut.because) == (frozenset({2}), (2,), "leader of orders-0")


def test_an_isolated_controller_is_the_active_one() -> None:
    assert drawn(isolate_controller, 3).cut_off == (3,)


@given(sizes)
def test_a_deaf_node_hears_nobody_and_is_heard_by_all(size: int) -> None:
    cut = drawn(deaf(exactly(1)), size)
    assert cut.links == tuple((1, other) for other in range(2, size + 1))


@given(sizes)
def test_a_mute_node_hears_all_and_is_heard_by_nobody(size: int) -> None:
    cut = drawn(mute(exactly(1)), size)
    assert cut.links == tuple((other, 1) for other in range(2, size + 1))


@given(seeds)
def test_one_way_cuts_one_direction_of_each_link(seed: int) -> None:
    links = drawn(one_way_leader, 3, seed).links
    assert links in (((2, 1), (2, 3)), ((1, 2), (3, 2)))


@given(st.sampled_from([grudge for grudge, _ in GRUDGES]), sizes, seeds)
def test_no_grudge_cuts_a_node_off_from_itself_or_names_a_stranger(grudge: Grudge, size: int, seed: int) -> None:
    links = drawn(grudge, size, seed).links
    assert links
    assert all(who != whom and {who, whom} <= set(range(1, size + 1)) for who, whom in links)


@given(st.sampled_from([grudge for grudge, _ in GRUDGES]), sizes, seeds)
def test_the_same_seed_draws_the_same_grudge(grudge: Grudge, size: int, seed: int) -> None:
    assert drawn(grudge, size, seed) == drawn(grudge, size, seed)


def test_a_split_among_brokers_leaves_the_other_nodes_alone() -> None:
    view = ClusterView(nodes=(1, 2, 3, 100), brokers=(1, 2, 3), controllers=(100,))
    cut = isolate(exactly(1)).draw(view, view.brokers, Random(1))
    assert cut.links == ((1, 2), (1, 3), (2, 1), (3, 1))


def test_all_nodes_cannot_be_parted_from_nobody() -> None:
    with pytest.raises(NoSuchNode, match="all, nodes 1, 2, 3, cannot be cut off"):
        drawn(isolate(every), 3)


def test_two_nodes_make_no_ring() -> None:
    with pytest.raises(NoSuchNode, match="too few nodes for this grudge"):
        drawn(majorities_ring, 2)


def test_a_grudge_is_found_by_its_name_with_hyphens() -> None:
    assert grudge_named("isolate-leader") is isolate_leader


def test_an_unknown_grudge_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown grudge 'thirds' .*isolate-leader, .*majorities-ring, bridge"):
        grudge_named("thirds")
