"""The check of split quorums holds on a quorum that is right, and rejects each of its bugs."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from checks.metadata import test_controllers_fail, test_quorum_splits
from harness.clients.client import ClientTrouble
from harness.replicas import collecting
from harness.replicas.replica_log import ReplicaLog, StoredBatch
from harness.targets.cluster_view import ClusterView
from tests.plants.clusters import canned_fixtures
from tests.plants.clusters.rejecting import acceptances, rejections, right, wrong
from tests.plants.clusters.virtual_clock import Clock

VOTERS = (101, 102, 103)
REJECTED = {
    "nobody leads": "a controller leads under partition bridge, and that was not so within",
    "makes no topics": "No topic could be made within",
    "deposes its leader again and again": "The leader's epoch rose by",
    "has two leaders of an epoch": "have both led the quorum in epoch 2",
    "has two leaders after the heal": "one controller leads after the heal, and that was not so within",
    "forgets topics": "The topics that are not there although they were acknowledged should be []",
    "has different metadata": "The controllers' metadata logs differ: nodes 101 and 102 hold different batches",
}
"""Bug → what the check says."""


class Split:
    """Stands in for the fault."""

    def __init__(self, quorum: Quorum) -> None:
        self._quorum = quorum

    def __str__(self) -> str:
        return "partition bridge"

    def lack(self, cluster: Any) -> None:
        """Nothing stands in its way."""

    def plan(self, view: ClusterView, chance: Random) -> None:
        """Nothing is drawn."""

    def inject(self, cluster: Any, act: None) -> None:
        self._quorum.is_split, self._quorum.epoch = True, 2

    def heal(self, cluster: Any) -> None:
        self._quorum.is_split, self._quorum.is_healed = False, True

    def verify_healed(self, cluster: Any) -> None:
        """It is healed at once."""


class Quorum:
    """Three controllers and a broker (Cluster), led by the first."""

    def __init__(self, bug: str) -> None:
        self.bug, self.epoch, self.is_split, self.is_healed = bug, 1, False, False
        self.topics: list[str] = []
        self.nodes = tuple(
            SimpleNamespace(
                id=number, internal_address=f"10.0.0.{number}", ports=ports, address=(f"10.0.0.{number}", 1)
            )
            for number, ports in ((1, {}), *((voter, {"CONTROLLER": 9093}) for voter in VOTERS))
        )

    def wait_healthy(self) -> None:
        """It is well at once."""

    def view(self, topics: Any = None) -> ClusterView:
        return ClusterView(nodes=(1, *VOTERS), brokers=(1,), controllers=VOTERS)

    def create_topic(self, topic: str) -> None:
        if self.is_split and self.bug == "makes no topics":
            raise ClientTrouble("TIMED_OUT")
        self.topics.append(topic)

    def said_by(self, node: int) -> tuple[int, int]:
        """(epoch, leader) as a controller tells them."""
        if self.is_split and self.bug == "nobody leads":
            return self.epoch, -1
        if self.is_split and self.bug == "deposes its leader again and again":
            self.epoch += 1
        if self.is_split and self.bug == "has two leaders of an epoch" and node < 103:
            return self.epoch, node
        if self.is_healed and self.bug == "has two leaders after the heal" and node == 102:
            return self.epoch + 1, 102
        return self.epoch, 101


class Client:
    """Asks one node."""

    def __init__(self, quorum: Quorum, node: int) -> None:
        self._quorum, self._node = quorum, node

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *ended: object) -> None:
        """Nothing is open."""

    def quorum(self) -> tuple[int, int]:
        return self._quorum.said_by(self._node)

    def topic(self, name: str) -> Any:
        is_known = name in self._quorum.topics and self._quorum.bug != "forgets topics"
        return SimpleNamespace(error_code=0 if is_known else 3)


def log_of(node: int, digest: int) -> ReplicaLog:
    """One batch."""
    batch = StoredBatch(
        base_offset=0,
        last_offset=0,
        leader_epoch=1,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        records=1,
        is_control=False,
        is_transactional=False,
        digest=digest,
        is_sound=True,
        place="here",
    )
    return ReplicaLog(node=node, batches=(batch,), leader_epochs=((1, 0),), log_start=0, high_watermark=1)


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs the check on a quorum that has a bug, or none."""

    def playing(bug: str = "") -> None:
        quorum, clock = Quorum(bug), Clock()

        def logs(*of_what: object) -> list[ReplicaLog]:
            return [log_of(node, 2 if node == 102 and bug == "has different metadata" else 1) for node in VOTERS]

        def client(address: tuple[str, int], **more: Any) -> Client:
            return Client(quorum, int(address[0].rpartition(".")[2]))

        monkeypatch.setattr(test_controllers_fail, "NodeClient", client)
        monkeypatch.setattr(test_quorum_splits, "NodeClient", client)
        monkeypatch.setattr(collecting, "replicas_of", logs)
        monkeypatch.setattr(collecting, "time", clock)
        monkeypatch.setattr(test_quorum_splits, "restore", lambda cluster: None)
        monkeypatch.setattr(test_quorum_splits, "time", clock)
        monkeypatch.setattr("harness.clients.node_client.time", clock)
        given: Any = quorum
        test_quorum_splits.test_a_connected_majority_is_led(
            given,
            given,
            SimpleNamespace(topic=lambda label: f"{label}-{len(quorum.topics)}"),  # type: ignore[arg-type]
            canned_fixtures.record(),
            Random(1),
            Split(quorum),  # type: ignore[arg-type]
        )

    return playing


test_a_check_rejects_the_bug = rejections({bug: wrong(says, bug) for bug, says in REJECTED.items()})
test_the_check_holds_on_a_quorum_that_is_right = acceptances({"right": right()})
