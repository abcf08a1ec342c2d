"""A roll restarts every node in turn, and waits for the cluster in between."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from harness.hosts.host import HostTrouble
from harness.targets.cluster_view import ClusterView
from nemesis.roll import Order, Roll


@dataclass
class FakeNode:
    """A node that tells its cluster what it does."""

    id: int
    cluster: FakeCluster
    alive: bool = True

    def stop(self) -> None:
        self.cluster.told.append(f"stop {self.id}")
        self.alive = False

    def start(self) -> None:
        self.cluster.told.append(f"start {self.id}")
        self.alive = True

    def is_alive(self) -> bool:
        return self.alive

    def is_paused(self) -> bool:
        return False

    def wait_ready(self, timeout_s: float = 60.0) -> None:
        self.cluster.told.append(f"ready {self.id}")


@dataclass
class FakeCluster:
    """Three nodes; the controller moves from one to the next when it is stopped."""

    told: list[str] = field(default_factory=list)
    ill_after: int = 99
    nodes: tuple[Any, ...] = ()
    bootstrap: str = "nowhere:1"

    def __post_init__(self) -> None:
        self.nodes = tuple(FakeNode(number, self) for number in (1, 2, 3))

    def view(self, topics: object = None, groups: object = ()) -> ClusterView:
        active = 2 + sum(line.startswith("stop") for line in self.told)
        return ClusterView(nodes=(1, 2, 3), brokers=(1, 2, 3), active_controller=(active - 1) % 3 + 1)

    def wait_healthy(self, timeout_s: float = 1.0) -> None:
        self.told.append("healthy")
        if self.told.count("healthy") > self.ill_after:
            raise HostTrouble("the cluster is not healthy")


def rolled(cluster: Any, order: Order = Order.CHANCE) -> Roll:
    fault = Roll(order)
    fault.inject(cluster, fault.plan(cluster.view(), Random(1)))
    return fault


def test_each_node_is_back_and_the_cluster_healthy_before_the_next() -> None:
    cluster = FakeCluster()
    rolled(cluster)
    turns = [cluster.told[at : at + 4] for at in range(0, 12, 4)]
    assert all([line.split()[0] for line in turn] == ["stop", "start", "ready", "healthy"] for turn in turns)
    assert sorted(turn[0] for turn in turns) == ["stop 1", "stop 2", "stop 3"]


def test_the_controller_is_last_as_in_an_upgrade() -> None:
    fault = Roll(Order.CONTROLLER_LAST)
    assert fault.plan(FakeCluster().view(), Random(1)).nodes[-1] == 2


def test_a_roll_can_follow_the_controller() -> None:
    cluster = FakeCluster()
    rolled(cluster, Order.CONTROLLER_NEXT)
    assert [line for line in cluster.told if line.startswith("stop")] == ["stop 2", "stop 3", "stop 1"]


def test_a_roll_after_the_controller_says_how_often_it_moved() -> None:
    fault, cluster = Roll(Order.CONTROLLER_NEXT), FakeCluster()
    proof = fault.inject(cluster, fault.plan(cluster.view(), Random(1)))  # type: ignore[arg-type]
    assert proof.endswith("; 3 of them as the active controller")


def test_a_roll_stops_when_the_cluster_does_not_get_well() -> None:
    cluster = FakeCluster(ill_after=1)
    with pytest.raises(HostTrouble, match="not healthy"):
        rolled(cluster)
    assert sum(line.startswith("stop") for line in cluster.told) == 2


def test_a_roll_that_broke_off_is_healed() -> None:
    cluster: Any = FakeCluster()
    fault = rolled(cluster)
    cluster.nodes[1].alive = False
    cluster.told.clear()
    assert (fault.heal(cluster), cluster.told) == ("started node 2", ["start 2"])
