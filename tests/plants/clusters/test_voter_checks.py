"""The check of voters holds on a cluster in memory that is right, and its own assertions reject each of its bugs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

import pytest

from checks.metadata import test_controllers_fail, test_voters_change
from harness.catalogue import Header
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.record import CheckRecord
from harness.replicas import collecting
from harness.targets.cluster_view import ClusterView
from nemesis import controller, exactly, voters
from nemesis.fault import Fault
from nemesis.quorum import QuorumState, QuorumVoter
from tests.plants.clusters.clients_in_memory import MemoryAdmin, MemoryClient
from tests.plants.clusters.cluster_in_memory import BROKERS, MemoryCluster
from tests.plants.clusters.rejecting import acceptances, rejections, right, wrong
from tests.plants.clusters.virtual_clock import Clock

MODULE = import_module("nemesis.voters")
STILL_LEADS = "an active controller that is removed leads on, and nobody else does"
LEADS_WITHOUT_A_VOTE = "a removed controller does not notice, and leads its old epoch on"
COUNTS_IT_STILL = "the quorum waits for a node that has no vote any more, when it dies"
FORGETS = "topics are gone when the voters change"
DIFFERS = "has different metadata"


class VotingCluster(MemoryCluster):
    """A cluster whose voters can be changed."""

    def __init__(self, folder: Path, bug: str) -> None:
        super().__init__(folder, [bug] if bug == DIFFERS else [])
        self._bug = bug
        self.voters = set(BROKERS)
        self.former: dict[int, tuple[int, int]] = {}
        """Node that led when it was removed → (epoch, itself), where it does not notice."""

    def view(self, topics: Sequence[str] | None = None, groups: Sequence[str] = ()) -> ClusterView:
        return replace(super().view(topics, groups), controllers=tuple(sorted(self.voters)))

    def quorum(self) -> QuorumState:
        found = tuple(QuorumVoter(node, bytes([node]) * 16, ()) for node in sorted(self.voters))
        return QuorumState(self.controller, self.epoch, found)

    def remove(self, node: int) -> None:
        self.voters.discard(node)
        if self._bug == FORGETS:
            self.topics.clear()
        if node == self.controller and self._bug != STILL_LEADS:
            if self._bug == LEADS_WITHOUT_A_VOTE:
                self.former[node] = (self.epoch, node)
            self.controller = min(self.voters)
            self.epoch += 1

    def add(self, node: int) -> None:
        self.voters.add(node)
        self.former.clear()

    def leaves(self, node: int, *, is_clean: bool) -> None:
        super().leaves(node, is_clean=is_clean)
        if self._bug == COUNTS_IT_STILL and node not in self.voters:
            self.controller = -1

    def comes_back(self, node: int) -> None:
        super().comes_back(node)
        self.controller = max(self.controller, 1)


class VotingClient(MemoryClient):
    """Asks one node of it."""

    def quorum(self) -> tuple[int, int]:
        return self._cluster.former.get(self._id, super().quorum())  # type: ignore[attr-defined]


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs the check on a cluster in memory with a bug."""

    def playing(bug: str, fault: Fault, dies: bool) -> None:
        cluster, clock = VotingCluster(tmp_path, bug), Clock()
        admin = MemoryAdmin(cluster)
        monkeypatch.setattr(test_controllers_fail, "NodeClient", lambda address, **more: VotingClient(cluster, address))
        for module in (test_voters_change, collecting):
            monkeypatch.setattr(module, "RawAdmin", lambda bootstrap: admin)
        for module in (test_controllers_fail, collecting):
            monkeypatch.setattr(module, "time", clock)
        monkeypatch.setattr("harness.clients.node_client.time", clock)
        monkeypatch.setattr(MODULE, "wait_for_quorum", lambda bootstrap, is_so=bool: cluster.quorum())
        monkeypatch.setattr(MODULE, "remove_voter", lambda bootstrap, voter: cluster.remove(voter.node))
        monkeypatch.setattr(MODULE, "add_voter", lambda bootstrap, voter: cluster.add(voter.node))
        record = CheckRecord(check="voters", target="memory", header=Header(), sentence="")
        given: Any = (cluster, admin, Names("memory", "voters"), record, Random(1), fault, dies)
        test_voters_change.test_the_metadata_goes_on_without_a_voter(*given)

    return playing


REJECTED = [
    (STILL_LEADS, voters(controller), False, "one of the voters [2, 3] leads the quorum, and that was not so"),
    (LEADS_WITHOUT_A_VOTE, voters(controller), False, "Node 1 leads the quorum and has no vote in it"),
    (COUNTS_IT_STILL, voters(exactly(2)), True, "one of the voters [1, 3] leads the quorum, and that was not so"),
    (FORGETS, voters(exactly(2)), False, "The ids of the topics made before"),
    (DIFFERS, voters(exactly(2)), False, "metadata logs differ: nodes 1 and 2 hold different batches"),
]
"""(bug, the fault, whether the removed node dies, what the check says)."""


test_a_check_rejects_the_bug = rejections({bug: wrong(says, bug, fault, dies) for bug, fault, dies, says in REJECTED})
test_the_check_holds_on_a_cluster_that_is_right = acceptances(
    {
        f"{fault}{' that dies' if dies else ''}": right("", fault, dies)
        for fault in (voters(controller), voters(exactly(3)))
        for dies in (False, True)
    }
)
