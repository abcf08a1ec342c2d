"""Cut links and open them again, by the means that a cluster has: packet rules on the nodes' hosts, or else the nodes'
own link filters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from harness.hosts.host import HostTrouble
from harness.targets.target import Cluster
from nemesis.calls import CalledCut
from nemesis.filters import FilterCut
from nemesis.links import Chain, is_open, parties_of, prove_cut, require_open, sweep
from nemesis.rules import link_rules


class LinkCut(Protocol):
    """The cut links of one fault. A link is (who, whom): `who` no longer hears `whom`, nodes or clients by name."""

    def make(self, cluster: Cluster, links: Sequence[tuple[str, str]], listener: str | None) -> str:
        """Cuts the links, on all ports or on those of one listener; the proof, as a sentence. HostTrouble when it has
        no effect: then nothing is cut."""
        ...

    def undo(self, cluster: Cluster) -> str:
        """Opens the links again; each node is tried. Returns what was done."""
        ...

    def require_healed(self, cluster: Cluster) -> None:
        """HostTrouble unless nothing of the cut is left, and every pair of nodes answers."""
        ...

    def is_open(self, cluster: Cluster, source: str, target: str) -> bool | None:
        """Whether a connection from the source reaches the target. None when that cannot be told."""
        ...


class PacketCut:
    """Packets are dropped by rules on the nodes' hosts (LinkCut)."""

    def __init__(self) -> None:
        self._chain: Chain | None = None

    def make(self, cluster: Cluster, links: Sequence[tuple[str, str]], listener: str | None) -> str:
        """Sets a chain of rules and proves the cut; without an effect, everything is removed again."""
        sweep(cluster)
        parties = parties_of(cluster)
        rules = [rule for link in links for rule in link_rules(link, parties, listener)]
        if not rules:
            raise HostTrouble(f"none of the nodes has a port for listener {listener}")
        self._chain = Chain(cluster)
        self._chain.install(rules)
        try:
            return prove_cut(cluster, self._chain, rules, listener)
        except HostTrouble:
            self._chain.remove()
            raise

    def undo(self, cluster: Cluster) -> str:
        """Removes its chain from every node; each is tried."""
        if self._chain is None:
            return "nothing was cut"
        places = self._chain.remove()
        return f"removed the chain {self._chain.name} from {', '.join(places) or 'no node'}"

    def require_healed(self, cluster: Cluster) -> None:
        """HostTrouble unless its chain is gone from every node, and every pair answers."""
        if self._chain is None:
            return
        if places := self._chain.places():
            raise HostTrouble(f"the chain {self._chain.name} is still there after the heal: {', '.join(places)}")
        require_open(cluster)

    def is_open(self, cluster: Cluster, source: str, target: str) -> bool | None:
        """Whether a connection reaches the target; of nodes, from where the source runs."""
        return is_open(cluster, source, target)


def cut_of(cluster: Cluster) -> LinkCut:
    """By a call where the network is simulated, by packet rules where every node has a host that takes them; else
    by the nodes' link filters."""
    if cluster.links is not None:
        return CalledCut()
    return PacketCut() if all(node.host is not None for node in cluster.nodes) else FilterCut()
