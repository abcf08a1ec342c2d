"""Partitions plan their links from the view alone; their heal tries every node and may be repeated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from harness.history.operations import FaultAct
from harness.hosts.host import CommandResult, HostTrouble
from harness.targets.cluster_view import ClusterView
from nemesis.grudges import bridge, deaf, halves, isolate, isolate_leader, isolate_one
from nemesis.links import Chain
from nemesis.node_specs import NoSuchNode, exactly
from nemesis.partition import Between, Partition
from nemesis.rules import CLIENTS, Rule

VIEW = ClusterView(
    nodes=(1, 2, 3, 100, 101, 102),
    brokers=(1, 2, 3),
    controllers=(100, 101, 102),
    active_controller=100,
    leaders={("orders", 0): 2},
    replicas={("orders", 0): (2, 1, 3)},
)


def planned(fault: Partition) -> FaultAct:
    return fault.plan(VIEW, Random(1))


def test_an_isolated_leader_loses_every_node_both_ways() -> None:
    act = planned(Partition(isolate_leader))
    assert (act.nodes, len(act.links), act.parameters["because"]) == ((2,), 10, "leader of orders-0")


def test_among_brokers_only_their_own_listener_is_cut() -> None:
    act = planned(Partition(isolate_leader, Between.BROKERS))
    assert act.links == (("node 1", "node 2"), ("node 2", "node 1"), ("node 2", "node 3"), ("node 3", "node 2"))
    assert act.parameters["listener"] == "INTERNAL"


def test_among_controllers_no_broker_is_cut_off() -> None:
    act = planned(Partition(halves, Between.CONTROLLERS))
    assert {name for link in act.links for name in link} == {"node 100", "node 101", "node 102"}
    assert act.parameters["listener"] == "CONTROLLER"


def test_clients_alone_are_cut_off_from_the_leader() -> None:
    act = planned(Partition(isolate_leader, Between.CLIENTS))
    assert act.links == (("node 2", CLIENTS), (CLIENTS, "node 2"))


def test_clients_that_stay_with_the_leader_reach_no_other_broker() -> None:
    act = planned(Partition(isolate_leader, Between.NODES_WITH_CLIENTS))
    assert {link for link in act.links if CLIENTS in link} == {
        *((name, CLIENTS) for name in ("node 1", "node 3")),
        *((CLIENTS, name) for name in ("node 1", "node 3")),
    }


def test_a_deaf_node_does_not_hear_clients_either_and_they_hear_it() -> None:
    act = planned(Partition(deaf(exactly(2)), Between.NODES_AND_CLIENTS))
    assert (act.links[-1], len(act.links)) == (("node 2", CLIENTS), 6)


def test_clients_are_not_cut_off_from_a_node_that_they_do_not_use() -> None:
    with pytest.raises(NoSuchNode, match="node 100 is not a broker, so clients cannot be cut off from it"):
        planned(Partition(isolate(exactly(100)), Between.CLIENTS))


def test_clients_cannot_be_cut_off_by_a_grudge_that_names_no_nodes() -> None:
    with pytest.raises(ValueError, match="bridge: clients cannot be cut off"):
        Partition(bridge, Between.CLIENTS)


def test_clients_are_cut_off_from_their_own_listeners_only() -> None:
    with pytest.raises(ValueError, match="takes no listener"):
        Partition(isolate_one, Between.CLIENTS, listener="CONTROLLER")


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Partition(isolate_leader), "partition isolate leader"),
        (Partition(halves, Between.BROKERS), "partition halves, brokers"),
        (Partition(isolate_leader, Between.NODES_WITH_CLIENTS), "partition isolate leader, nodes with their clients"),
        (Partition(bridge, listener="CONTROLLER"), "partition bridge, CONTROLLER"),
    ],
)
def test_a_partition_reads_as_its_grudge_and_what_it_is_between(fault: Partition, text: str) -> None:
    assert str(fault) == text


def test_a_partition_that_was_not_made_is_healed_by_nothing() -> None:
    assert Partition().heal(FakeCluster([])) == "nothing was cut"


@dataclass
class FakeHost:
    """A host that knows of one chain at a time, or fails."""

    name: str
    chain: str | None = None
    fails: bool = False
    told: list[str] = field(default_factory=list)

    def run(self, command: Sequence[str], timeout_s: float = 30.0) -> CommandResult:
        if self.fails:
            raise HostTrouble(f"{self.name}: no SSH")
        script = command[-1]
        self.told.append(script)
        for line in script.splitlines():
            if " -N " in line:
                self.chain = line.split(" -N ")[1]
            if " -X " in line and self.chain and line.endswith(self.chain):
                self.chain = None
        return CommandResult(0, f"-N {self.chain}\n" if self.chain else "-P INPUT ACCEPT\n", "")


@dataclass
class FakeNode:
    id: int
    host: FakeHost
    internal_address: str = "10.0.0.1"
    ports: dict[str, int] = field(default_factory=dict)


class FakeCluster:
    """Hosts without packets."""

    bootstrap = "nowhere:1"
    client_addresses = ()

    def __init__(self, hosts: list[FakeHost]) -> None:
        self.nodes: Any = [FakeNode(number, host) for number, host in enumerate(hosts, 1)]


def cut(hosts: list[FakeHost]) -> Chain:
    chain = Chain(FakeCluster(hosts))  # type: ignore[arg-type]
    chain.install(
        [Rule(f"node {number}", ("node 1", "node 2"), ("-s", "10.0.0.9")) for number in range(1, len(hosts) + 1)]
    )
    return chain


def test_a_node_whose_heal_fails_does_not_keep_the_others_from_it() -> None:
    hosts = [FakeHost("a"), FakeHost("b"), FakeHost("c")]
    chain = cut(hosts)
    hosts[0].fails = True
    with pytest.raises(HostTrouble, match="a: no SSH"):
        chain.remove()
    assert [host.chain for host in hosts[1:]] == [None, None]


def test_a_heal_that_failed_can_be_repeated() -> None:
    hosts = [FakeHost("a"), FakeHost("b")]
    chain = cut(hosts)
    hosts[0].fails = True
    with pytest.raises(HostTrouble):
        chain.remove()
    hosts[0].fails = False
    assert (chain.remove(), chain.remove()) == (("node 1",), ())


def test_a_cut_that_fails_on_one_node_is_undone_on_the_others() -> None:
    hosts = [FakeHost("a"), FakeHost("b", fails=True)]
    with pytest.raises(HostTrouble, match="b: no SSH"):
        cut(hosts)
    assert hosts[0].chain is None
