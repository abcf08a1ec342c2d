"""Remove controllers from the quorum, and add them again.

**Does** removes the chosen voters one after another, as an operator does who replaces controllers (KIP-853). They keep
running as observers of the metadata log; if the active controller is among them, another one takes over. The proof is
that the quorum's leader no longer lists them.

**Needs** a quorum whose voters can be changed: clusters of `kafka@VERSION` or `reference` that ask for it
(`@pytest.mark.cluster(has_dynamic_voters=True)`).

**Heals** by adding the same voters again; waits until the quorum's leader lists them and the cluster is healthy.
"""

from __future__ import annotations

from random import Random

from harness.history.operations import FaultAct
from harness.hosts.lack import Lack, Means
from harness.targets.cluster_view import ClusterView
from harness.targets.target import Cluster
from nemesis.fault import Family, Troubles
from nemesis.node_fault import NodeFault
from nemesis.node_specs import NodeSpec, NoSuchNode, nodes_text, one_voter
from nemesis.quorum import QuorumVoter, add_voter, remove_voter, wait_for_quorum
from nemesis.requests import persistently

_DONE_WITHIN_S = 60.0


class Voters(NodeFault):
    """Removes voters from the quorum for a while (Fault)."""

    kind = "membership"
    family = Family.METADATA

    def __init__(self, on: NodeSpec = one_voter) -> None:
        super().__init__(on)
        self._removed: list[QuorumVoter] = []

    @property
    def name(self) -> str:
        """ "membership voters", "membership voters controller"."""
        return f"{self.kind} voters" + ("" if self.on is one_voter else f" {self.on}")

    def lack(self, cluster: Cluster) -> Lack | None:
        """What is missing on this cluster for this fault; asks the cluster for its quorum."""
        if (found := super().lack(cluster)) is not None:
            return found
        quorum = wait_for_quorum(cluster.bootstrap)
        if quorum.is_fixed:
            return Lack(
                Means.SOFTWARE,
                f"{self.name} needs a dynamic quorum; this one has fixed voters (controller.quorum.voters)",
            )
        if len(quorum.voters) < 2:
            return Lack(Means.NODES, f"{self.name} needs 2 voters; the quorum has {len(quorum.voters)}")
        return None

    def plan(self, view: ClusterView, random: Random) -> FaultAct:
        """The voters that it will remove."""
        act = super().plan(view, random)
        if others := [node for node in act.nodes if node not in view.controllers]:
            raise NoSuchNode(f"{nodes_text(others)} is not a voter of the quorum")
        if len(act.nodes) >= len(view.controllers):
            raise NoSuchNode(f"{nodes_text(act.nodes)} are all voters: the last one cannot be removed")
        return FaultAct(kind=self.kind, nodes=act.nodes, parameters={"change": "voters", **act.parameters})

    def inject(self, cluster: Cluster, act: FaultAct) -> str:
        """Removes the voters, and waits until the quorum's leader no longer lists them."""
        before = wait_for_quorum(cluster.bootstrap, lambda quorum: set(act.nodes) <= set(quorum.ids))
        self.remember(cluster, act)
        for voter in [voter for voter in before.voters if voter.node in act.nodes]:
            self._removed.append(voter)
            persistently(
                lambda voter=voter: remove_voter(cluster.bootstrap, voter),  # type: ignore[misc]
                _DONE_WITHIN_S,
                f"node {voter.node} was not removed from the quorum",
            )
        now = wait_for_quorum(cluster.bootstrap, lambda quorum: not set(act.nodes) & set(quorum.ids))
        return f"the quorum's voters were {before}, and are now {now}"

    def heal(self, cluster: Cluster) -> str:
        """Adds the voters again; each is tried."""
        added: list[int] = []
        troubles = Troubles()
        for voter in self._removed:
            with troubles.collected():
                persistently(
                    lambda voter=voter: add_voter(cluster.bootstrap, voter),  # type: ignore[misc]
                    _DONE_WITHIN_S,
                    f"node {voter.node} was not added to the quorum",
                )
                added.append(voter.node)
        troubles.raise_any()
        return f"added {nodes_text(added)} to the quorum's voters"

    def verify_healed(self, cluster: Cluster) -> None:
        """HostTrouble unless all of them vote again, and the cluster is healthy."""
        nodes = {voter.node for voter in self._removed}
        wait_for_quorum(cluster.bootstrap, lambda quorum: nodes <= set(quorum.ids))
        self._removed = []
        super().verify_healed(cluster)
        cluster.wait_healthy()
