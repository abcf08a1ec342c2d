"""Faults of one moment strike different nodes where a majority of the nodes stays untouched; else it is said."""

from __future__ import annotations

from random import Random

from harness.runs.aiming import SHARED, aimed
from harness.targets.cluster_view import ClusterView
from nemesis.grudges import bridge, isolate_leader
from nemesis.kill import Kill
from nemesis.node_specs import leader
from nemesis.partition import Partition


def cluster(nodes: int, leaders: tuple[int, ...] = (1, 2)) -> ClusterView:
    every = tuple(range(1, nodes + 1))
    partitions = {("t", number): node for number, node in enumerate(leaders)}
    return ClusterView(nodes=every, brokers=every, controllers=every, leaders=partitions)


def test_in_five_nodes_the_killed_leader_is_not_the_isolated_one() -> None:
    for seed in range(50):
        (_, killed), (_, isolated) = aimed((Kill(leader), Partition(isolate_leader)), cluster(5), Random(seed))
        assert {*killed.nodes, *isolated.nodes} == {1, 2}
        assert SHARED not in isolated.parameters


def test_in_three_nodes_a_second_one_would_end_the_majority_so_that_a_shared_node_is_told() -> None:
    view = cluster(3, leaders=(2, 2))
    (_, killed), (_, isolated) = aimed((Kill(leader), Partition(isolate_leader)), view, Random(1))
    assert killed.nodes == isolated.nodes == (2,)
    assert isolated.parameters[SHARED] == "kill leader"
    assert "together with kill leader" in isolated.sentence


def test_the_only_leader_is_struck_twice_and_that_is_told() -> None:
    _, (_, isolated) = aimed((Kill(leader), Partition(isolate_leader)), cluster(5, leaders=(3, 3)), Random(1))
    assert isolated.parameters[SHARED] == "kill leader"


def test_a_partition_that_cuts_nobody_off_shares_no_node() -> None:
    _, (_, cut) = aimed((Kill(leader), Partition(bridge)), cluster(3), Random(1))
    assert SHARED not in cut.parameters
