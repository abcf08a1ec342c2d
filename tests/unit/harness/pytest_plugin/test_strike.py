"""The fixture `strike` acts on the node that a check names, and waits until a cluster of several is well again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.judging.outcome import Unproven
from harness.pytest_plugin.record import CheckRecord
from harness.pytest_plugin.strike import Strike
from harness.targets.cluster_view import ClusterView


class FakeNode:
    def __init__(self, node_id: int, told: list[str]) -> None:
        self.id, self._told, self._alive = node_id, told, True

    def is_alive(self) -> bool:
        return self._alive

    def is_paused(self) -> bool:
        return False

    def answers(self) -> bool:
        return self._alive

    def wait_ready(self) -> None:
        pass

    def kill(self) -> None:
        self._told.append(f"kill {self.id}")
        self._alive = False

    def start(self) -> None:
        self._told.append(f"start {self.id}")
        self._alive = True


class FakeCluster:
    """Node 2 leads orders-0, node 3 coordinates the group "workers", node 1 is the active controller."""

    bootstrap = "nowhere:1"

    def __init__(self, nodes: Sequence[int]) -> None:
        self.told: list[str] = []
        self.nodes = tuple(FakeNode(node, self.told) for node in nodes)

    def view(self, topics: Sequence[str] | None = None, groups: Sequence[str] = ()) -> ClusterView:
        ids = tuple(node.id for node in self.nodes)
        return ClusterView(
            nodes=ids,
            brokers=ids,
            controllers=ids,
            active_controller=ids[0],
            leaders={(topic, 0): ids[1 % len(ids)] for topic in topics or ()},
            coordinators={group: ids[2 % len(ids)] for group in groups},
        )

    def wait_healthy(self) -> None:
        self.told.append("wait healthy")

    def lack_for_fault(self, kind: str) -> None:
        return None


def struck(name: str, nodes: Sequence[int] = (1, 2, 3), **on: str) -> list[str]:
    cluster: Any = FakeCluster(nodes)
    record = SimpleNamespace(faults=0, step=nullcontext)
    Strike(cluster=cluster, record=cast(CheckRecord, record), chance=Random(1), require_fault=lambda kind: None)(
        name, **on
    )
    assert record.faults == 1
    told: list[str] = cluster.told
    return told


@pytest.mark.parametrize(
    ("name", "on", "node"),
    [
        ("kill", {"topic": "orders"}, 2),
        ("kill", {"group": "workers"}, 3),
        ("kill controller", {}, 1),
    ],
    ids=["leader", "coordinator", "controller"],
)
def test_it_acts_on_the_node_that_is_named(name: str, on: dict[str, str], node: int) -> None:
    assert struck(name, **on) == [f"kill {node}", f"start {node}", "wait healthy"]


def test_a_single_node_is_well_as_soon_as_it_answers() -> None:
    assert struck("kill", nodes=[7], topic="orders") == ["kill 7", "start 7"]


def test_it_does_not_act_on_a_leader_and_a_coordinator() -> None:
    with pytest.raises(Unproven, match="not on both"):
        struck("kill", topic="orders", group="workers")


def test_the_kind_that_a_target_does_not_offer_is_asked_for() -> None:
    asked: list[str] = []
    cluster: Any = FakeCluster([1])
    record: Any = SimpleNamespace(faults=0, step=lambda name: pytest.fail("it acted"))

    def refuse(kind: str) -> None:
        asked.append(kind)
        pytest.skip("not offered")

    with pytest.raises(pytest.skip.Exception):
        Strike(cluster=cluster, record=record, chance=Random(1), require_fault=refuse)("pause leader")
    assert asked == ["pause"]
