"""The common part of faults that act on chosen nodes: the choice, and the nodes to heal."""

from __future__ import annotations

from random import Random
from typing import ClassVar

from harness.history.operations import FaultAct
from harness.hosts.host import HostTrouble
from harness.hosts.lack import Lack
from harness.targets.cluster_view import ClusterView
from harness.targets.target import Cluster, Node
from nemesis.fault import Family, Troubles, lack_of, require_well
from nemesis.node_specs import NodeSpec, one


class NodeFault:
    """A fault that acts on nodes; subclasses say how it is injected and healed."""

    kind: ClassVar[str]
    family: ClassVar[Family] = Family.PROCESS

    def __init__(self, on: NodeSpec = one) -> None:
        self.on = on
        self._affected: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The kind and, unless it is any one node, the nodes: "kill", "kill leader"."""
        return self.kind if self.on is one else f"{self.kind} {self.on}"

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.on!s})"

    def lack(self, cluster: Cluster) -> Lack | None:
        """What is missing on this cluster for this fault."""
        return lack_of(cluster, self.kind, self.name, self.on.least_nodes)

    def plan(self, view: ClusterView, random: Random) -> FaultAct:
        """The nodes that it will act on, and why these."""
        chosen = self.on.choose(view, random)
        return FaultAct(kind=self.kind, nodes=chosen.nodes, parameters={"on": chosen.because})

    def verify_healed(self, cluster: Cluster) -> None:
        """HostTrouble unless every node of the fault runs and answers; each is tried."""
        troubles = Troubles()
        for node in self.affected(cluster):
            with troubles.collected():
                require_well(node)
        troubles.raise_any()

    def remember(self, cluster: Cluster, act: FaultAct) -> tuple[Node, ...]:
        """Remembers the nodes of an act for the heal, and returns them."""
        self._affected = act.nodes
        return self.affected(cluster)

    def affected(self, cluster: Cluster) -> tuple[Node, ...]:
        """The nodes of the last act, healed or not. HostTrouble when the cluster does not have one of them."""
        nodes = {node.id: node for node in cluster.nodes}
        if missing := [node for node in self._affected if node not in nodes]:
            raise HostTrouble(f"node {missing[0]} of the cluster at {cluster.bootstrap} cannot be controlled from here")
        return tuple(nodes[node] for node in self._affected)


def start_affected(fault: NodeFault, cluster: Cluster) -> list[int]:
    """Starts the nodes of a fault that are not running; their ids. Each is tried."""
    started: list[int] = []
    troubles = Troubles()
    for node in fault.affected(cluster):
        with troubles.collected():
            if not node.is_alive():
                node.start()
                started.append(node.id)
    troubles.raise_any()
    return started
