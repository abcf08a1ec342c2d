"""Partitions between namespaces, for real: planned, cut, proved, healed."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from harness.hosts.host import HostTrouble
from harness.targets.cluster_view import ClusterView
from nemesis.grudges import (
    bridge,
    deaf,
    halves,
    isolate_controller,
    isolate_leader,
    isolate_one,
    majorities_ring,
    mute,
)
from nemesis.links import is_open, require_open, sweep
from nemesis.node_specs import exactly
from nemesis.partition import Between, Partition
from nemesis.rules import CLIENTS
from tests.real import namespaces

VIEW = ClusterView(
    nodes=(1, 2, 3),
    brokers=(1, 2, 3),
    controllers=(1, 2, 3),
    active_controller=3,
    leaders={("orders", 0): 2},
    replicas={("orders", 0): (2, 1, 3)},
)


@pytest.fixture(scope="module")
def whole() -> Iterator[Any]:
    with namespaces.namespaces(3) as made:
        yield made


@pytest.fixture
def cluster(whole: Any) -> Iterator[Any]:
    yield whole
    sweep(whole, with_own=True)


@pytest.mark.parametrize(
    "fault",
    [
        *(Partition(grudge) for grudge in (isolate_one, isolate_leader, isolate_controller, halves, bridge)),
        Partition(majorities_ring),
        Partition(deaf(exactly(1))),
        Partition(mute(exactly(1))),
        Partition(isolate_leader, Between.BROKERS),
        Partition(isolate_leader, Between.CONTROLLERS),
        Partition(isolate_leader, Between.CLIENTS),
        Partition(isolate_leader, Between.NODES_AND_CLIENTS),
        Partition(isolate_one, listener="CONTROLLER"),
    ],
    ids=str,
)
def test_a_partition_is_proved_and_heals(cluster: Any, fault: Partition) -> None:
    proof = fault.inject(cluster, fault.plan(VIEW, Random(1)))
    fault.heal(cluster)
    fault.verify_healed(cluster)
    assert "got no answer" in proof


def test_an_isolated_leader_keeps_its_clients(cluster: Any) -> None:
    fault = Partition(isolate_leader)
    fault.inject(cluster, fault.plan(VIEW, Random(1)))
    assert [is_open(cluster, "node 1", "node 2"), is_open(cluster, CLIENTS, "node 2")] == [False, True]


def test_a_cut_among_brokers_leaves_the_quorum_alone(cluster: Any) -> None:
    fault = Partition(isolate_leader, Between.BROKERS)
    fault.inject(cluster, fault.plan(VIEW, Random(1)))
    links = [is_open(cluster, "node 1", "node 2", listener) for listener in ("INTERNAL", "CONTROLLER")]
    assert links == [False, True]


def test_a_partition_without_effect_is_trouble_and_leaves_nothing(cluster: Any) -> None:
    fault = Partition(mute(exactly(1)))
    address, cluster.nodes[0].internal_address = cluster.nodes[0].internal_address, "10.9.9.9"
    try:
        with pytest.raises(HostTrouble, match="the partition had no effect"):
            fault.inject(cluster, fault.plan(VIEW, Random(1)))
    finally:
        cluster.nodes[0].internal_address = address
    assert (fault.heal(cluster).endswith("from no node"), require_open(cluster)) == (True, 6)


def test_a_partition_that_stays_is_noticed(cluster: Any) -> None:
    fault = Partition(isolate_one)
    fault.inject(cluster, fault.plan(VIEW, Random(1)))
    with pytest.raises(HostTrouble, match="is still there after the heal: node 1, node 2, node 3"):
        fault.verify_healed(cluster)
