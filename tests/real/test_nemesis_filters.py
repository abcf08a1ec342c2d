"""Partitions of nodes of ours by their own link filters, for real and without root: cut, proved, healed."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from harness.hosts import namespaces
from harness.hosts.host import HostTrouble, wait_until
from harness.targets.local_cluster import LocalCluster
from harness.targets.target import ClusterSpec, resolve
from nemesis.filters import FilterCut
from nemesis.grudges import (
    bridge,
    deaf,
    halves,
    isolate,
    isolate_controller,
    isolate_one,
    majorities_ring,
    mute,
)
from nemesis.node_specs import exactly
from nemesis.partition import Between, Partition
from nemesis.restore import restore
from nemesis.rules import CLIENTS

pytestmark = pytest.mark.long
BOTH = [("node 1", "node 2"), ("node 2", "node 1")]


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(namespaces.WITHOUT_ROOT, "1")
        opened = resolve("reference").open(ClusterSpec(nodes=3))
        assert isinstance(opened, LocalCluster)
        yield opened
        opened.close()


@pytest.mark.parametrize(
    "fault",
    [
        *(Partition(grudge) for grudge in (isolate_one, isolate_controller, halves, bridge, majorities_ring)),
        Partition(deaf(exactly(1))),
        Partition(mute(exactly(1))),
        Partition(isolate(exactly(2)), Between.BROKERS),
        Partition(isolate_controller, Between.CONTROLLERS),
        Partition(isolate(exactly(2)), Between.CLIENTS),
        Partition(isolate(exactly(2)), Between.NODES_AND_CLIENTS),
        Partition(isolate(exactly(2)), Between.NODES_WITH_CLIENTS),
    ],
    ids=str,
)
def test_a_partition_is_proved_and_heals(cluster: LocalCluster, fault: Partition) -> None:
    assert fault.lack(cluster) is None
    proof = fault.inject(cluster, fault.plan(cluster.view(), Random(1)))
    fault.heal(cluster)
    fault.verify_healed(cluster)
    cluster.wait_healthy()
    assert "got no answer" in proof


def test_a_cut_among_brokers_leaves_the_quorum_alone(cluster: LocalCluster) -> None:
    cut = FilterCut()
    cut.make(cluster, BOTH, "INTERNAL")
    answers = [cut.is_open(cluster, "node 1", "node 2", name) for name in ("INTERNAL", "CONTROLLER")]
    cut.undo(cluster)
    assert answers == [False, True]


def test_an_isolated_node_keeps_its_clients(cluster: LocalCluster) -> None:
    cut = FilterCut()
    cut.make(cluster, BOTH, None)
    answers = [
        cut.is_open(cluster, *link) for link in (("node 1", "node 2"), (CLIENTS, "node 2"), ("node 3", "node 2"))
    ]
    cut.undo(cluster)
    assert answers == [False, True, True]


def test_a_node_that_was_paused_is_cut_off_as_soon_as_it_is_resumed(cluster: LocalCluster) -> None:
    cut, node = FilterCut(), cluster.nodes[1]
    node.pause()
    cut.make(cluster, BOTH, None)
    node.resume()
    assert cut.is_open(cluster, "node 1", "node 2") is False
    assert node.link_filter is not None
    assert node.link_filter.holds()
    cut.undo(cluster)


def test_a_link_to_a_dead_node_is_cut_before_it_is_started(cluster: LocalCluster) -> None:
    cut, node = FilterCut(), cluster.nodes[1]
    node.kill()
    assert "no answer" in cut.make(cluster, BOTH, None)
    node.start()
    assert node.link_filter is not None
    wait_until(node.link_filter.holds, 30, "its rules do not hold")
    cut.undo(cluster)
    cluster.wait_healthy()


def test_a_node_that_is_started_again_is_cut_off_from_the_start(cluster: LocalCluster) -> None:
    cut, node = FilterCut(), cluster.nodes[1]
    cut.make(cluster, BOTH, None)
    node.kill()
    node.start()
    assert node.link_filter is not None
    wait_until(node.link_filter.holds, 30, "its rules do not hold")
    assert cut.is_open(cluster, "node 1", "node 2") is False
    cut.undo(cluster)
    cluster.wait_healthy()


def test_a_partition_without_effect_is_trouble_and_leaves_nothing(cluster: LocalCluster) -> None:
    cut = FilterCut()
    with pytest.raises(HostTrouble, match="none of the nodes has a port"):
        cut.make(cluster, BOTH, "NOWHERE")
    assert cut.undo(cluster) == "nothing was cut"


def test_a_partition_that_stays_is_noticed_and_restored(cluster: LocalCluster) -> None:
    fault = Partition(isolate_one)
    fault.inject(cluster, fault.plan(cluster.view(), Random(1)))
    with pytest.raises(
        HostTrouble, match=r"the rules of cut \d+ are still there after the heal: node 1, node 2, node 3"
    ):
        fault.verify_healed(cluster)
    assert "removed the rules of cut" in restore(cluster)
    fault.verify_healed(cluster)
