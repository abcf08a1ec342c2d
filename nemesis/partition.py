"""Split the network between nodes, or between nodes and clients.

**Does** drops packets between the nodes of a grudge, in one direction or both: all of them, or those of one listener.
The proof is that probes across the partition get no answer and that the rules have counted dropped packets.

**Needs** nodes with addresses of their own, and iptables where they run: network namespaces (root), or an anchor
container. Nodes of the reference need neither: they drop what the rules of their own link filters name.

**Heals** by removing its own rules from every node; then every pair of nodes must answer, and clients, if they were cut
off.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from random import Random

from harness.history.operations import FaultAct
from harness.hosts.host import wait_until
from harness.hosts.lack import Lack
from harness.targets.cluster_view import ClusterView
from harness.targets.node_plan import CLIENTS as CLIENT_LISTENER
from harness.targets.node_plan import CONTROLLER, INTERNAL
from harness.targets.target import Cluster
from nemesis.cuts import LinkCut, cut_of
from nemesis.fault import Family, Troubles, lack_of
from nemesis.grudges import Cut, Grudge, isolate_one
from nemesis.links import OPEN_WITHIN_S
from nemesis.node_specs import NoSuchNode, nodes_text
from nemesis.rules import CLIENTS, node_name


class Between(StrEnum):
    """Whose links are cut."""

    NODES = "nodes"
    BROKERS = "brokers"
    CONTROLLERS = "controllers"
    CLIENTS = "clients"
    NODES_AND_CLIENTS = "nodes and clients"
    NODES_WITH_CLIENTS = "nodes with their clients"

    @property
    def does(self) -> str:
        """What it leaves alone, for lists."""
        return _DOES[self]


_DOES = {
    Between.NODES: "all nodes; their clients still reach them",
    Between.BROKERS: "brokers, on the listener between them: replication stops, the quorum goes on",
    Between.CONTROLLERS: "the quorum's voters, on their listener: replication goes on",
    Between.CLIENTS: "clients and the nodes that the grudge cuts off, which still hear each other",
    Between.NODES_AND_CLIENTS: "all nodes, and clients and the nodes that the grudge cuts off",
    Between.NODES_WITH_CLIENTS: "all nodes, and clients and the others: they reach only the nodes that are cut off",
}
_WITH_CLIENTS = (Between.CLIENTS, Between.NODES_AND_CLIENTS, Between.NODES_WITH_CLIENTS)
_LISTENER = {Between.BROKERS: INTERNAL, Between.CONTROLLERS: CONTROLLER}


class Partition:
    """Cuts links between nodes, or between nodes and clients (Fault)."""

    kind = "partition"
    family = Family.LINK

    def __init__(
        self, grudge: Grudge = isolate_one, between: Between = Between.NODES, listener: str | None = None
    ) -> None:
        """`listener` limits the cut between nodes to the ports of one listener. ValueError for a combination that has
        no meaning."""
        if between in _WITH_CLIENTS and not grudge.names_nodes:
            raise ValueError(
                f"partition {grudge}: clients cannot be cut off, because this grudge has no side that is cut off"
            )
        if between is Between.CLIENTS and listener is not None:
            raise ValueError(
                "a partition between clients and nodes takes no listener: it cuts all listeners for clients"
            )
        self.grudge = grudge
        self.between = between
        self.listener = listener or _LISTENER.get(between)
        self._cut: LinkCut | None = None
        self._has_cut_clients = False

    @property
    def name(self) -> str:
        """ "partition isolate leader", "partition halves, brokers", "partition bridge, CONTROLLER"."""
        words = [str(self.grudge)]
        if self.between is not Between.NODES:
            words.append(str(self.between))
        if self.listener is not None and self.between not in _LISTENER:
            words.append(self.listener)
        return f"{self.kind} {', '.join(words)}"

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"Partition({self.name!r})"

    def lack(self, cluster: Cluster) -> Lack | None:
        """What is missing on this cluster for this fault."""
        return lack_of(cluster, self.kind, self.name, self.grudge.least_nodes)

    def plan(self, view: ClusterView, random: Random) -> FaultAct:
        """The links that it will cut."""
        cut = self.grudge.draw(view, self._nodes(view), random)
        parameters = {"grudge": str(self.grudge), "because": cut.because}
        if self.between is not Between.NODES:
            parameters["links of"] = str(self.between)
        if self.listener is not None:
            parameters["listener"] = self.listener
        return FaultAct(kind=self.kind, nodes=cut.cut_off, links=self._links(cut, view), parameters=parameters)

    def inject(self, cluster: Cluster, act: FaultAct) -> str:
        """Cuts the links and proves it; without an effect, everything is removed again."""
        self._has_cut_clients = any(CLIENTS in link for link in act.links)
        self._cut = cut_of(cluster)
        return self._cut.make(cluster, act.links, act.parameters.get("listener"))

    def heal(self, cluster: Cluster) -> str:
        """Removes its rules from every node; each is tried."""
        return "nothing was cut" if self._cut is None else self._cut.undo(cluster)

    def verify_healed(self, cluster: Cluster) -> None:
        """HostTrouble unless its rules are gone from every node, and every pair answers."""
        if self._cut is None:
            return
        troubles = Troubles()
        with troubles.collected():
            self._cut.require_healed(cluster)
        if self._has_cut_clients:
            for node in cluster.nodes:
                if CLIENT_LISTENER in node.ports:
                    with troubles.collected():
                        _require_clients(self._cut, cluster, node_name(node.id))
        troubles.raise_any()

    def _nodes(self, view: ClusterView) -> Sequence[int]:
        if self.between is Between.BROKERS:
            return view.brokers
        return view.controllers if self.between is Between.CONTROLLERS else view.nodes

    def _links(self, cut: Cut, view: ClusterView) -> tuple[tuple[str, str], ...]:
        links = [(node_name(who), node_name(whom)) for who, whom in cut.links]
        if self.between not in _WITH_CLIENTS:
            return tuple(links)
        if self.between is Between.NODES_WITH_CLIENTS:
            others = [node_name(node) for node in view.brokers if node not in cut.cut_off]
            return (*links, *((name, CLIENTS) for name in others), *((CLIENTS, name) for name in others))
        brokers = [node for node in cut.cut_off if node in view.brokers]
        if not brokers:
            raise NoSuchNode(f"{nodes_text(cut.cut_off)} is not a broker, so clients cannot be cut off from it")
        deaf = [(node_name(node), CLIENTS) for node in brokers if any(who == node for who, _ in cut.links)]
        mute = [(CLIENTS, node_name(node)) for node in brokers if any(whom == node for _, whom in cut.links)]
        return tuple([*deaf, *mute] if self.between is Between.CLIENTS else [*links, *deaf, *mute])


def _require_clients(cut: LinkCut, cluster: Cluster, name: str) -> None:
    wait_until(
        lambda: cut.is_open(cluster, CLIENTS, name) is not False,
        OPEN_WITHIN_S,
        f"clients get no answer from {name} after the heal",
        every_s=0.2,
    )
