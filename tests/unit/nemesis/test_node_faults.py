"""Each fault strikes one node, heals itself, and says so when it has not healed."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from harness.hosts.host import HostTrouble
from nemesis.fault import restore
from nemesis.packages import fault_named


@dataclass
class FakeDisk:
    """A disk that is full, or not."""

    is_filled: bool = False
    stays_full: bool = False

    def fill(self) -> int:
        self.is_filled = True
        return 4096

    def make_room(self) -> None:
        self.is_filled = self.stays_full


@dataclass
class FakeNode:
    """A node that does as it is told, and keeps what it was told."""

    id: int
    told: list[str] = field(default_factory=list)
    alive: bool = True
    paused: bool = False
    starts: bool = True
    small_disk: FakeDisk | None = None

    def start(self) -> None:
        self.told.append("start")
        self.alive = self.starts

    def stop(self) -> None:
        self.told.append("stop")
        self.alive = False

    def kill(self) -> None:
        self.told.append("kill")
        self.alive = self.paused = False

    def pause(self) -> None:
        self.told.append("pause")
        self.paused = True

    def resume(self) -> None:
        self.told.append("resume")
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


def cluster_of(*nodes: FakeNode) -> Any:
    return FakeCluster(nodes)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("kill", ["kill", "start", "wait_ready"]),
        ("pause", ["pause", "resume", "wait_ready"]),
        ("restart", ["stop", "start", "wait_ready"]),
    ],
)
def test_a_fault_strikes_and_its_heal_brings_the_node_back(name: str, told: list[str]) -> None:
    node, fault = FakeNode(1), fault_named(name)
    fault.inject(cluster_of(node), Random(1))
    fault.heal(cluster_of(node))
    assert node.told == told


@pytest.mark.parametrize("name", ["kill", "pause", "restart"])
def test_a_fault_strikes_one_node_of_three_and_names_it(name: str) -> None:
    nodes = (FakeNode(1), FakeNode(2), FakeNode(3))
    said = fault_named(name).inject(cluster_of(*nodes), Random(4))
    assert [f"node {node.id}" for node in nodes if node.told] == [said[said.index("node") :]]


@pytest.mark.parametrize("name", ["kill", "pause", "restart"])
def test_a_second_heal_changes_nothing(name: str) -> None:
    node = FakeNode(1)
    fault_named(name).heal(cluster_of(node))
    assert node.told == ["wait_ready"]


def test_a_full_disk_is_healed_by_room_and_a_restart() -> None:
    node, fault = FakeNode(1, small_disk=FakeDisk()), fault_named("disk")
    said = fault.inject(cluster_of(FakeNode(2), node), Random(1))
    fault.heal(cluster_of(FakeNode(2), node))
    assert said == "fill the small disk of node 1 with 4,096 bytes"
    assert node.told == ["stop", "start", "wait_ready"]


def test_a_disk_that_stays_full_is_trouble() -> None:
    node = FakeNode(1, small_disk=FakeDisk(stays_full=True))
    fault_named("disk").inject(cluster_of(node), Random(1))
    with pytest.raises(HostTrouble, match="node 1 is still full after the heal"):
        fault_named("disk").heal(cluster_of(node))


def test_a_node_without_a_small_disk_cannot_have_it_filled() -> None:
    with pytest.raises(HostTrouble, match="no small disk that could be filled"):
        fault_named("disk").inject(cluster_of(FakeNode(1)), Random(1))


def test_a_node_that_does_not_start_again_is_trouble_not_a_verdict() -> None:
    with pytest.raises(HostTrouble, match="node 1 does not run after the heal"):
        fault_named("kill").heal(cluster_of(FakeNode(1, alive=False, starts=False)))


def test_a_cluster_without_nodes_in_our_hands_cannot_be_struck() -> None:
    with pytest.raises(HostTrouble, match="no nodes that we may harm"):
        fault_named("kill").inject(cluster_of(), Random(1))


def test_the_last_act_of_a_run_resumes_and_starts_all() -> None:
    nodes = (FakeNode(1, paused=True), FakeNode(2, alive=False))
    restore(cluster_of(*nodes))
    assert [node.told for node in nodes] == [["resume", "wait_ready"], ["start", "wait_ready"]]


def test_the_last_act_of_a_run_makes_room() -> None:
    node = FakeNode(1, small_disk=FakeDisk(is_filled=True))
    restore(cluster_of(node))
    assert (node.small_disk, node.told) == (FakeDisk(), ["stop", "start", "wait_ready"])


def test_an_unknown_fault_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no fault 'kil' .*kill, pause, restart"):
        fault_named("kil")
