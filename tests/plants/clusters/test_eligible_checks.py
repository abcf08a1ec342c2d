"""The check of eligible leader replicas holds on a cluster that is right, and rejects each of its bugs."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from checks.durability import test_eligible_replicas_lead as check
from harness.clients.node_client import Fetched, Produced
from harness.targets.cluster_view import ClusterView
from reference_broker.wire.errors import ErrorCode
from tests.plants.clusters import canned_fixtures
from tests.plants.clusters.rejecting import acceptances, rejections, right, wrong
from tests.plants.clusters.virtual_clock import Clock

MIN_INSYNC = 2
STOPPED = "test_an_eligible_replica_leads_when_none_is_in_sync"
KILLED = "test_a_replica_that_did_not_end_in_order_is_not_eligible"
REJECTED = {
    "has no eligible replicas": (STOPPED, "is told to be eligible, and that was not so within"),
    "makes every replica eligible": (STOPPED, "The eligible replicas while the ISR is at its minimum should be ()"),
    "acknowledges with one replica": (STOPPED, "That a write is acknowledged while one is in sync should be False"),
    "elects whoever is there": (STOPPED, "it left the ISR before that was at its minimum"),
    "waits for the last leader": (STOPPED, "leads orders-0 when it is back, and that was not so within"),
    "loses what was acknowledged": (STOPPED, "records of orders-0 that were acknowledged, and that was not so within"),
    "serves a record twice": (STOPPED, "What the partition holds should be"),
    "elects who was killed": (KILLED, "it was killed, and may have lost its last records"),
    "tells that who was killed is eligible": (KILLED, "That a killed replica stays eligible should be False"),
    "forgets the last leader": (KILLED, "leads orders-0 when it is back, and that was not so within"),
}
"""Bug → (the check that rejects it, what that says)."""


class Node:
    """A node that may be stopped and killed."""

    def __init__(self, partition: Partition, number: int) -> None:
        self._partition, self.id, self.address = partition, number, (f"10.0.0.{number}", 9092)
        self.is_up = True

    def start(self) -> None:
        if not self.is_up:
            self.is_up = True
            self._partition.comes_back(self.id)

    def stop(self) -> None:
        self.is_up = False
        self._partition.leaves(self.id)

    def kill(self) -> None:
        self.stop()
        self._partition.killed.add(self.id)

    def wait_ready(self) -> None:
        """It is ready at once."""


class Partition:
    """orders-0 of three replicas, led by the first (Cluster)."""

    def __init__(self, bug: str) -> None:
        self.bug = bug
        self.nodes = tuple(Node(self, number) for number in (1, 2, 3))
        self.leader, self.isr, self.eligible = 1, [1, 2, 3], list[int]()
        self.killed: set[int] = set()
        self.values: list[str] = []

    def view(self, topics: Any = None) -> ClusterView:
        return ClusterView(
            nodes=(1, 2, 3),
            brokers=tuple(node.id for node in self.nodes if node.is_up),
            leaders={("orders", 0): self.leader} if self.leader > 0 else {},
            replicas={("orders", 0): (1, 2, 3)},
            isr={("orders", 0): tuple(self.isr)},
        )

    def wait_healthy(self) -> None:
        """It is well at once."""

    def leaves(self, node: int) -> None:
        """It leaves the ISR, and is eligible where that is at its minimum."""
        if node in self.isr:
            if len(self.isr) <= MIN_INSYNC or self.bug == "makes every replica eligible":
                self.eligible += [node] if self.bug != "has no eligible replicas" else []
            self.isr.remove(node)
        if self.leader == node:
            self.leader = -1

    def comes_back(self, node: int) -> None:
        """Who was killed is not eligible any more; one that is eligible leads, and another follows a leader."""
        was_last = node == 1
        if node in self.killed and self.bug not in ("elects who was killed", "tells that who was killed is eligible"):
            self.eligible = [one for one in self.eligible if one != node]
        may_lead = node in self.eligible
        if node in self.killed and self.bug == "tells that who was killed is eligible":
            may_lead = False
        if self.bug == "waits for the last leader" or (self.bug == "forgets the last leader" and was_last):
            may_lead = False
        if self.leader < 0 and (may_lead or self.bug == "elects whoever is there"):
            self.leader = node
            self.values = self.values[:1] if self.bug == "loses what was acknowledged" else self.values
        if self.leader > 0:
            self.isr = [one.id for one in self.nodes if one.is_up]


class Client:
    """Asks one node."""

    def __init__(self, partition: Partition, number: int) -> None:
        self._partition, self._id = partition, number
        if not partition.nodes[number - 1].is_up:
            raise ConnectionRefusedError(f"node {number} is away")

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *ended: object) -> None:
        """Nothing is open."""

    def produce(self, topic: str, value: str, timeout_ms: int = 0) -> Produced:
        if len(self._partition.isr) < MIN_INSYNC and self._partition.bug != "acknowledges with one replica":
            return Produced(ErrorCode.NOT_ENOUGH_REPLICAS, -1)
        self._partition.values.append(value)
        return Produced(ErrorCode.NONE, 0)

    def fetch(self, topic: str, offset: int) -> Fetched:
        again = self._partition.values[-1:] if self._partition.bug == "serves a record twice" else []
        values = tuple(enumerate([*self._partition.values, *again]))
        return Fetched(error=ErrorCode.NONE, values=values, high_watermark=len(values), preferred_replica=-1)

    def described(self, topic: str) -> Any:
        now = self._partition
        return SimpleNamespace(leader_id=now.leader, eligible_leader_replicas=tuple(now.eligible) or None)


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs a check on a cluster that has a bug, or none."""

    def playing(function: str, bug: str = "") -> None:
        partition, clock = Partition(bug), Clock()

        def client(address: tuple[str, int], **more: Any) -> Client:
            return Client(partition, int(address[0].rpartition(".")[2]))

        def restore(cluster: Partition) -> None:
            for node in cluster.nodes:
                node.start()

        monkeypatch.setattr(check, "NodeClient", client)
        monkeypatch.setattr(check, "NodeAdmin", client)
        monkeypatch.setattr(check, "restore", restore)
        monkeypatch.setattr(check, "require_equal_replicas", lambda *topic: 1)
        monkeypatch.setattr(check, "time", clock)
        monkeypatch.setattr("harness.clients.node_client.time", clock)
        code: Any = getattr(check, function)
        code(
            partition,
            canned_fixtures.admin(),
            canned_fixtures.names(),
            canned_fixtures.record(),
        )

    return playing


test_a_check_rejects_the_bug = rejections(
    {bug: wrong(says, function, bug) for bug, (function, says) in REJECTED.items()}
)
test_a_check_holds_on_a_cluster_that_is_right = acceptances({one: right(one) for one in (STOPPED, KILLED)})
