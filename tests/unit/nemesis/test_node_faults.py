"""Faults act on the chosen nodes, prove it, heal themselves, and say so when they have not healed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest

from harness.history.operations import FaultAct
from harness.hosts.host import HostTrouble
from harness.hosts.lack import Lack, Means
from harness.targets.cluster_view import ClusterView
from nemesis.disk import FullDisk, LostFolder
from nemesis.fault_names import fault_named
from nemesis.kill import Kill
from nemesis.node_specs import exactly, leader, minority
from nemesis.pause import Pause
from nemesis.restore import restore


@dataclass
class FakeDisk:
    """A disk that is full, or whose folder is away, or neither."""

    is_filled: bool = False
    stays_full: bool = False
    is_away: bool = False
    stays_away: bool = False
    data_dir: Path = Path("/nowhere/data")

    def fill(self) -> int:
        self.is_filled = True
        return 4096

    def make_room(self) -> None:
        self.is_filled = self.stays_full

    def take_away(self) -> None:
        self.is_away = True

    def bring_back(self) -> None:
        self.is_away = self.stays_away


@dataclass
class FakeNode:
    """A node that does as it is told, and keeps what it was told."""

    id: int
    told: list[str] = field(default_factory=list)
    alive: bool = True
    paused: bool = False
    starts: bool = True
    resumes: bool = True
    pauses: bool = True
    small_disk: FakeDisk | None = None
    faulty_disk: Any = None
    machine: None = None

    def start(self) -> None:
        self.told.append("start")
        if not self.starts:
            raise HostTrouble(f"node {self.id} does not start")
        self.alive = True

    def stop(self) -> None:
        self.told.append("stop")
        self.alive = False

    def kill(self) -> None:
        self.told.append("kill")
        self.alive = self.paused = False

    def pause(self) -> None:
        self.told.append("pause")
        self.paused = self.pauses

    def resume(self) -> None:
        self.told.append("resume")
        if not self.resumes:
            raise HostTrouble(f"node {self.id} does not go on")
        self.paused = False

    def is_alive(self) -> bool:
        return self.alive

    def is_paused(self) -> bool:
        return self.paused

    def wait_ready(self, timeout_s: float = 60.0) -> None:
        self.told.append("wait_ready")


@dataclass
class FakeCluster:
    """Nodes without a network."""

    nodes: tuple[FakeNode, ...]
    bootstrap: str = "nowhere:1"
    faults: tuple[str, ...] = ("kill", "pause", "restart", "disk")

    def lack_for_fault(self, kind: str) -> Lack | None:
        return None if kind in self.faults else Lack(Means.FAULTS, "its nodes are others'")


def cluster_of(*nodes: FakeNode, **options: Any) -> Any:
    return FakeCluster(nodes, **options)


def acted(fault: Any, cluster: Any, *nodes: int) -> str:
    """Strikes these nodes, or the first."""
    return str(fault.inject(cluster, FaultAct(kind=fault.kind, nodes=nodes or (1,))))


@pytest.mark.parametrize(
    ("name", "told"),
    [("kill", ["kill", "start"]), ("pause", ["pause", "resume"]), ("restart", ["stop", "start"])],
)
def test_a_fault_strikes_and_its_heal_brings_the_node_back(name: str, told: list[str]) -> None:
    cluster, fault = cluster_of(node := FakeNode(1)), fault_named(name)
    acted(fault, cluster)
    fault.heal(cluster)
    assert node.told == told


@pytest.mark.parametrize(
    ("name", "proof"),
    [
        ("kill", "no process of nodes 1, 3 is running"),
        ("pause", "the process of nodes 1, 3 is in state T (stopped)"),
        ("restart", "no process of nodes 1, 3 is running"),
    ],
)
def test_a_fault_strikes_the_nodes_of_its_act_and_proves_it(name: str, proof: str) -> None:
    nodes = (FakeNode(1), FakeNode(2), FakeNode(3))
    said = acted(fault_named(name), cluster_of(*nodes), 1, 3)
    assert (said, [node.id for node in nodes if node.told]) == (proof, [1, 3])


@pytest.mark.parametrize("name", ["kill", "pause", "restart", "disk"])
def test_a_second_heal_changes_nothing(name: str) -> None:
    node = FakeNode(1, small_disk=FakeDisk())
    cluster, fault = cluster_of(node), fault_named(name)
    acted(fault, cluster)
    fault.heal(cluster)
    told = list(node.told)
    fault.heal(cluster)
    assert node.told == told


def test_a_heal_leaves_what_another_fault_has_struck() -> None:
    nodes = (FakeNode(1), FakeNode(2, alive=False))
    cluster, fault = cluster_of(*nodes), Kill()
    acted(fault, cluster)
    fault.heal(cluster)
    assert nodes[1].told == []


def test_a_node_that_does_not_start_again_does_not_keep_the_others_from_it() -> None:
    nodes = (FakeNode(1, starts=False), FakeNode(2))
    cluster, fault = cluster_of(*nodes), Kill()
    acted(fault, cluster, 1, 2)
    with pytest.raises(HostTrouble, match="node 1 does not start"):
        fault.heal(cluster)
    assert nodes[1].told == ["kill", "start"]


def test_a_node_that_does_not_go_on_does_not_keep_the_others_from_it() -> None:
    nodes = (FakeNode(1, resumes=False), FakeNode(2))
    cluster, fault = cluster_of(*nodes), Pause()
    acted(fault, cluster, 1, 2)
    with pytest.raises(HostTrouble, match="node 1 does not go on"):
        fault.heal(cluster)
    assert nodes[1].told == ["pause", "resume"]


def test_a_heal_is_verified_by_an_answer() -> None:
    cluster, fault = cluster_of(node := FakeNode(1)), Kill()
    acted(fault, cluster)
    fault.heal(cluster)
    fault.verify_healed(cluster)
    assert node.told == ["kill", "start", "wait_ready"]


def test_a_node_that_was_not_healed_is_noticed() -> None:
    cluster, fault = cluster_of(FakeNode(1), FakeNode(2)), Kill()
    acted(fault, cluster, 1, 2)
    with pytest.raises(HostTrouble, match=r"node 1 is not running after the heal; node 2 is not running"):
        fault.verify_healed(cluster)


def test_a_pause_that_took_no_effect_is_trouble_not_a_verdict() -> None:
    with pytest.raises(HostTrouble, match="node 1 is not in state T after SIGSTOP"):
        acted(Pause(), cluster_of(FakeNode(1, pauses=False)))


@pytest.mark.parametrize("name", ["kill", "restart"])
def test_a_node_that_does_not_run_cannot_be_struck(name: str) -> None:
    with pytest.raises(HostTrouble, match=r"cannot (kill|stop) node 1: not running"):
        acted(fault_named(name), cluster_of(FakeNode(1, alive=False)))


def test_a_full_disk_is_healed_by_room_and_a_restart() -> None:
    node, fault = FakeNode(2, small_disk=FakeDisk()), FullDisk()
    cluster = cluster_of(FakeNode(1), node)
    said = acted(fault, cluster, 2)
    fault.heal(cluster)
    fault.verify_healed(cluster)
    assert said == "node 2: the small disk has no free block left: wrote 4,096 bytes"
    assert node.told == ["stop", "start", "wait_ready"]


def test_a_disk_that_stays_full_is_trouble() -> None:
    cluster, fault = cluster_of(FakeNode(1, small_disk=FakeDisk(stays_full=True))), FullDisk()
    acted(fault, cluster)
    fault.heal(cluster)
    with pytest.raises(HostTrouble, match="node 1 is still full after the heal"):
        fault.verify_healed(cluster)


def test_a_lost_folder_is_healed_by_bringing_it_back_and_a_restart() -> None:
    node, fault = FakeNode(2, small_disk=FakeDisk()), LostFolder()
    cluster = cluster_of(FakeNode(1), node)
    said = acted(fault, cluster, 2)
    fault.heal(cluster)
    fault.verify_healed(cluster)
    assert said == "node 2: data on the small disk is no folder any more"
    assert node.told == ["stop", "start", "wait_ready"]


def test_a_folder_that_stays_away_is_trouble() -> None:
    cluster, fault = cluster_of(FakeNode(1, small_disk=FakeDisk(stays_away=True))), LostFolder()
    acted(fault, cluster)
    fault.heal(cluster)
    with pytest.raises(HostTrouble, match="node 1 is still without its folder after the heal"):
        fault.verify_healed(cluster)


def test_a_lost_folder_is_told_from_a_full_disk() -> None:
    act = LostFolder(leader).plan(ClusterView(nodes=(1, 2), brokers=(1, 2), leaders={("orders", 0): 2}), Random(1))

    assert act.sentence == "disk node 2 (leader of orders-0, folder gone)"
    assert str(LostFolder(leader)) == "disk:gone leader"


@pytest.mark.parametrize(("text", "fault"), [("disk", FullDisk), ("disk:full", FullDisk), ("disk:gone", LostFolder)])
def test_a_trouble_of_a_disk_is_named_after_a_colon(text: str, fault: type) -> None:
    assert type(fault_named(text)) is fault


def test_an_unknown_trouble_of_a_disk_is_refused() -> None:
    with pytest.raises(ValueError, match=r"disk:wet: unknown trouble 'wet' \(known: full, gone\)"):
        fault_named("disk:wet")


@pytest.mark.parametrize("fault", [FullDisk(), LostFolder()])
def test_a_node_without_a_small_disk_cannot_have_trouble_with_it(fault: FullDisk | LostFolder) -> None:
    with pytest.raises(HostTrouble, match="node 1 has no small disk of its own"):
        acted(fault, cluster_of(FakeNode(1)))


def test_a_cluster_without_nodes_in_our_hands_cannot_be_struck() -> None:
    with pytest.raises(HostTrouble, match=r"node 1 of the cluster at .* cannot be controlled from here"):
        acted(Kill(), cluster_of())


def test_a_plan_names_the_nodes_and_why() -> None:
    view = ClusterView(nodes=(1, 2, 3), brokers=(1, 2, 3), leaders={("orders", 0): 2})
    act = Kill(leader).plan(view, Random(1))
    assert act == FaultAct(kind="kill", nodes=(2,), parameters={"on": "leader of orders-0"})


@pytest.mark.parametrize(
    ("fault", "text"), [(Kill(), "kill"), (Kill(leader), "kill leader"), (Pause(exactly(2)), "pause node 2")]
)
def test_a_fault_reads_as_its_kind_and_where(fault: object, text: str) -> None:
    assert str(fault) == text


def test_a_fault_says_what_it_lacks() -> None:
    lacks = [Kill().lack(cluster_of(FakeNode(1), faults=())), Kill(minority).lack(cluster_of(FakeNode(1)))]
    assert [lack.means for lack in lacks if lack] == [Means.FAULTS, Means.NODES]
    assert str(lacks[1]) == "kill minority needs 3 nodes; the cluster has 1"


def test_the_last_act_of_a_run_resumes_and_starts_all() -> None:
    nodes = (FakeNode(1, paused=True), FakeNode(2, alive=False))
    restore(cluster_of(*nodes))
    assert [node.told for node in nodes] == [["resume", "wait_ready"], ["start", "wait_ready"]]


def test_the_last_act_of_a_run_makes_room() -> None:
    node = FakeNode(1, small_disk=FakeDisk(is_filled=True))
    restore(cluster_of(node))
    assert (node.small_disk, node.told) == (FakeDisk(), ["stop", "start", "wait_ready"])


def test_the_last_act_of_a_run_brings_a_folder_back() -> None:
    node = FakeNode(1, small_disk=FakeDisk(is_away=True))
    restore(cluster_of(node))
    assert (node.small_disk, node.told) == (FakeDisk(), ["stop", "start", "wait_ready"])


def test_the_last_act_of_a_run_tries_every_node() -> None:
    nodes = (FakeNode(1, alive=False, starts=False), FakeNode(2, alive=False))
    with pytest.raises(HostTrouble, match="node 1 does not start; node 1 is not running after the heal"):
        restore(cluster_of(*nodes))
    assert nodes[1].told == ["start", "wait_ready"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("kill", "kill"),
        ("kill leader", "kill leader"),
        ("partition", "partition isolate one"),
        ("partition leader", "partition isolate leader"),
        ("partition:majorities-ring", "partition majorities ring"),
        ("partition:isolate-leader:nodes-and-clients", "partition isolate leader, nodes and clients"),
        ("partition:halves:controllers", "partition halves, controllers"),
    ],
)
def test_a_fault_is_named_with_its_nodes_or_its_grudge(text: str, name: str) -> None:
    assert str(fault_named(text)) == name


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("kill:leader", "kill:leader: this fault has no variants; leave out ':leader'"),
        ("kill leaders", "kill leaders: unknown nodes 'leaders'"),
        ("partition:thirds", "partition:thirds: unknown grudge 'thirds'"),
        ("partition:bridge:clients", "this grudge has no side that is cut off"),
    ],
)
def test_words_that_a_fault_does_not_know_are_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        fault_named(text)


def test_an_unknown_fault_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown fault 'kil' .*kill, pause, restart"):
        fault_named("kil")


def test_a_fault_is_named_with_the_nodes_it_strikes() -> None:
    assert [str(fault_named("kill leader")), str(fault_named("pause", on=leader))] == ["kill leader", "pause leader"]
