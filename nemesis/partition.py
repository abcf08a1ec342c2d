"""Split the network between nodes, or between nodes and clients.

**Does** drops packets between the nodes of a grudge, in one direction or both: all of them, or those of one listener.
The proof is that probes across the partition get no answer and that the rules have counted dropped packets.

**Needs** nodes with addresses of their own, and iptables where they run: network namespaces (root), or an anchor
container.

**Heals** by removing its own chain from every node; then every pair of nodes must answer, and clients, if they were cut
off.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from random import Random

from harness.history.operations import FaultAct
from harness.hosts.host import HostTrouble, wait_until
from harness.hosts.lack import Lack
from harness.targets.cluster_view import ClusterView
from harness.targets.node_plan import CONTROLLER, INTERNAL
from harness.targets.target import Cluster
from nemesis.fault import Family, Troubles, lack_of
from nemesis.grudges import Cut, Grudge, isolate_one
from nemesis.links import OPEN_WITHIN_S, Chain, is_open, parties_of, prove_cut, require_open, sweep
from nemesis.node_specs import NoSuchNode, nodes_text
from nemesis.rules import CLIENTS, link_rules, node_name


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
        self._chain: Chain | None = None
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
        """Sets the rules and proves the partition; without an effect, everything is removed again."""
        sweep(cluster)
        parties = parties_of(cluster)
        listener = act.parameters.get("listener")
        rules = [rule for link in act.links for rule in link_rules(link, parties, listener)]
        if not rules:
            raise HostTrouble(f"{self.name}: none of {nodes_text(act.nodes)} has a port for listener {listener}")
        self._has_cut_clients = any(CLIENTS in link for link in act.links)
        self._chain = Chain(cluster)
        self._chain.install(rules)
        try:
            return prove_cut(cluster, self._chain, rules, listener)
        except HostTrouble:
            self._chain.remove()
            raise

    def heal(self, cluster: Cluster) -> str:
        """Removes its chain from every node; each is tried."""
        if self._chain is None:
            return "nothing was cut"
        places = self._chain.remove()
        return f"removed the chain {self._chain.name} from {', '.join(places) or 'no node'}"

    def verify_healed(self, cluster: Cluster) -> None:
        """HostTrouble unless its chain is gone from every node, and every pair answers."""
        if self._chain is None:
            return
        if places := self._chain.places():
            raise HostTrouble(f"the chain {self._chain.name} is still there after the heal: {', '.join(places)}")
        troubles = Troubles()
        with troubles.collected():
            require_open(cluster)
        if self._has_cut_clients:
            for name in sorted(name for name, party in parties_of(cluster).items() if party.client_ports):
                with troubles.collected():
                    _require_clients(cluster, name)
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


def _require_clients(cluster: Cluster, name: str) -> None:
    wait_until(
        lambda: is_open(cluster, CLIENTS, name) is not False,
        OPEN_WITHIN_S,
        f"clients get no answer from {name} after the heal",
        every_s=0.2,
    )
