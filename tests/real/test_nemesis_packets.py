"""Packets between namespaces are lost, copied, slowed down or delayed, for real, by whichever means this kernel has."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from harness.hosts.host import HostTrouble
from harness.hosts.lack import Means
from harness.targets.cluster_view import ClusterView
from nemesis.links import require_open, sweep
from nemesis.node_specs import exactly
from nemesis.packet import Packet
from nemesis.shaping import HAS_NETEM, Shape, delay, duplicate, loss, rate, reorder
from tests.real import namespaces

VIEW = ClusterView(nodes=(1, 2, 3), brokers=(1, 2, 3))
FIRST = exactly(1)


def kernel_has_netem() -> bool:
    script = f"unshare -n sh -c '{HAS_NETEM}'"
    return subprocess.run(["sh", "-c", script], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def whole() -> Iterator[Any]:
    with namespaces.namespaces(3) as made:
        yield made


@pytest.fixture
def cluster(whole: Any) -> Iterator[Any]:
    yield whole
    sweep(whole, with_own=True)


def injected(cluster: Any, fault: Packet) -> str:
    return fault.inject(cluster, fault.plan(VIEW, Random(1)))


@pytest.mark.parametrize("shape", [loss(30), duplicate(50), rate(512)], ids=str)
def test_packets_are_affected_and_the_heal_ends_it(cluster: Any, shape: Shape) -> None:
    fault = Packet(shape, FIRST)
    told = injected(cluster, fault)
    fault.heal(cluster)
    fault.verify_healed(cluster)
    assert told.startswith(f"{shape} by ")


@pytest.mark.parametrize("shape", [delay(100), reorder(25)], ids=str)
def test_delay_and_order_need_netem_and_say_so_where_there_is_none(cluster: Any, shape: Shape) -> None:
    fault = Packet(shape, FIRST)
    if not kernel_has_netem():
        lack = fault.lack(cluster)
        assert lack is not None
        assert (lack.means, str(lack)) == (Means.KERNEL, f"{fault} needs tc netem (not in this kernel)")
        return
    told = injected(cluster, fault)
    fault.heal(cluster)
    fault.verify_healed(cluster)
    assert told.startswith(f"{shape} by tc netem")


def test_links_between_other_nodes_are_not_disturbed(cluster: Any) -> None:
    injected(cluster, Packet(loss(30), FIRST))
    rules = cluster.run(2, "iptables", "-S") + cluster.run(3, "iptables", "-S")
    addresses = [node.internal_address for node in cluster.nodes]
    assert f"-s {addresses[0]}/32" in rules
    assert f"-s {addresses[1]}/32" not in rules


def test_a_discipline_of_somebody_else_stays_and_is_told(cluster: Any) -> None:
    foreign = ["tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", "1gbit", "burst", "1mb", "latency", "50ms"]
    cluster.run(1, *foreign)
    with pytest.raises(HostTrouble, match="node 1: "):
        injected(cluster, Packet(rate(512), FIRST))
    listing = cluster.run(1, "tc", "qdisc", "show", "dev", "eth0")
    cluster.run(1, "tc", "qdisc", "del", "dev", "eth0", "root")
    assert (listing.startswith("qdisc tbf"), require_open(cluster)) == (True, 6)


def test_a_shape_that_stays_is_noticed_and_a_later_heal_ends_it(cluster: Any) -> None:
    fault = Packet(rate(512), FIRST)
    injected(cluster, fault)
    with pytest.raises(HostTrouble, match="is still there after the heal"):
        fault.verify_healed(cluster)
    fault.heal(cluster)
    fault.verify_healed(cluster)


def test_what_a_run_left_of_a_shape_is_swept_with_its_chain(cluster: Any) -> None:
    injected(cluster, Packet(rate(512), FIRST))
    sweep(cluster, with_own=True)
    assert "4b43:" not in cluster.run(1, "tc", "qdisc", "show", "dev", "eth0")
