"""Voters are removed and added: whom the fault chooses, what it asks, and what it refuses."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from random import Random
from typing import Any

import pytest

from harness.hosts.host import HostTrouble
from harness.hosts.lack import Means
from harness.targets.cluster_view import ClusterView
from nemesis.fault_names import fault_named
from nemesis.node_specs import NoSuchNode, controller, exactly
from nemesis.quorum import QuorumState, QuorumVoter
from nemesis.voters import Voters
from reference_broker.wire.primitives import ZERO_UUID, Uuid

MODULE = import_module("nemesis.voters")
VIEW = ClusterView(nodes=(1, 2, 101, 102, 103), brokers=(1, 2), controllers=(101, 102, 103), active_controller=102)


@dataclass
class FakeNode:
    id: int

    def is_alive(self) -> bool:
        return True

    def is_paused(self) -> bool:
        return False

    def wait_ready(self) -> None: ...


@dataclass
class FakeCluster:
    """Three controllers, and who of them votes."""

    voting: list[int] = field(default_factory=lambda: [101, 102, 103])
    directory: Uuid = b"d" * 16
    bootstrap: str = "nowhere:1"
    nodes: tuple[FakeNode, ...] = tuple(FakeNode(number) for number in VIEW.nodes)
    refuses: bool = False

    def lack_for_fault(self, kind: str) -> None: ...

    def wait_healthy(self) -> None: ...

    def quorum(self) -> QuorumState:
        return QuorumState(102, 1, tuple(QuorumVoter(node, self.directory, ()) for node in self.voting))

    def add(self, voter: QuorumVoter) -> None:
        if self.refuses:
            raise HostTrouble("AddRaftVoter: INVALID_REQUEST")
        self.voting.append(voter.node)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Any:
    made = FakeCluster()

    def wait(bootstrap: str, is_so: Any = lambda quorum: True) -> QuorumState:
        assert is_so(made.quorum())
        return made.quorum()

    monkeypatch.setattr(MODULE, "wait_for_quorum", wait)
    monkeypatch.setattr(MODULE, "remove_voter", lambda bootstrap, voter: made.voting.remove(voter.node))
    monkeypatch.setattr(MODULE, "add_voter", lambda bootstrap, voter: made.add(voter))
    return made


def test_the_active_controller_loses_its_vote_and_gets_it_back(cluster: Any) -> None:
    fault = Voters(controller)
    proof = fault.inject(cluster, fault.plan(VIEW, Random(1)))
    without = list(cluster.voting)
    fault.heal(cluster)
    fault.verify_healed(cluster)
    assert (without, sorted(cluster.voting)) == ([101, 103], [101, 102, 103])
    assert "voters were 101, 102, 103" in proof


def test_a_voter_is_chosen_where_nobody_is_named() -> None:
    chosen = {Voters().plan(VIEW, Random(seed)).nodes[0] for seed in range(30)}
    assert chosen == {101, 102, 103}


def test_a_node_without_a_vote_cannot_lose_it() -> None:
    with pytest.raises(NoSuchNode, match="node 1 is not a voter of the quorum"):
        Voters(exactly(1)).plan(VIEW, Random(1))


def test_the_last_voters_are_not_removed() -> None:
    with pytest.raises(NoSuchNode, match="are all voters"):
        Voters(exactly(101, 102, 103)).plan(VIEW, Random(1))


def test_fixed_voters_are_told(cluster: Any) -> None:
    cluster.directory = ZERO_UUID
    lack = Voters().lack(cluster)
    assert lack is not None
    assert (lack.means, "fixed voters (controller.quorum.voters)" in lack.reason) == (Means.SOFTWARE, True)


def test_a_voter_that_is_not_taken_back_is_trouble(cluster: Any) -> None:
    fault = Voters(exactly(103))
    fault.inject(cluster, fault.plan(VIEW, Random(1)))
    cluster.refuses = True
    with pytest.raises(HostTrouble, match="INVALID_REQUEST"):
        fault.heal(cluster)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("membership", "membership"),
        ("membership:voters", "membership voters"),
        ("membership:voters controller", "membership voters controller"),
    ],
)
def test_it_is_named_by_its_change(text: str, name: str) -> None:
    assert str(fault_named(text)) == name


def test_another_change_is_refused() -> None:
    with pytest.raises(ValueError, match=r"unknown change 'grow' \(known: replace, voters\)"):
        fault_named("membership:grow")
