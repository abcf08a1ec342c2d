"""Links that nodes cut themselves, by the rules of their link filters, without root and without addresses of their own.

A rule stands at both ends of a link: `who` drops what comes from `whom`, and `whom` what goes to `who`. So a link to a
node of other software is cut too, and one to a node that is paused. A probe says that it comes from the other node, by
a client id that this one's own connections have.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from enum import Enum, auto

from harness.clients.connection import RawConnection
from harness.hosts.at_once import at_once
from harness.hosts.host import HostTrouble, wait_until
from harness.hosts.link_filter import LinkFilterFile
from harness.targets.node_plan import CONTROLLER, INTERNAL
from harness.targets.target import Cluster, Node
from nemesis.fault import Troubles
from nemesis.links import OPEN_WITHIN_S, PROBE_S
from nemesis.rules import CLIENTS, node_name
from reference_broker.wire.primitives import MalformedRequest

_API_VERSIONS = 18
_CLIENT_IDS: Mapping[str, str] = {INTERNAL: "broker-{}-fetcher-0", CONTROLLER: "raft-client-{}"}
"""Listener → the client id of a node's connections to it: Kafka's own."""
_OF_OUR_CLIENTS = "a-client"
_numbers = itertools.count(1)


class Said(Enum):
    """What came back of a probe."""

    ANSWER = auto()
    REFUSAL = auto()
    NOTHING = auto()


class FilterCut:
    """The rules of one fault, at every node that filters its links (LinkCut)."""

    def __init__(self) -> None:
        self.name = f"cut {next(_numbers)}"
        self._nodes: tuple[str, ...] = ()

    def make(self, cluster: Cluster, links: Sequence[tuple[str, str]], listener: str | None) -> str:
        """Sets the rules, waits until they hold, and proves the cut by probes. HostTrouble; then nothing is cut."""
        filters, rules = filters_of(cluster), rules_of(links, cluster.nodes, listener)
        if not rules:
            raise HostTrouble(f"none of the nodes has a port for listener {listener}")
        self._nodes = tuple(sorted(rules))
        try:
            at_once(lambda name: filters[name].set(self.name, rules[name]), self._nodes)
            return self._proof(cluster, links, listener)
        except HostTrouble:
            self.undo(cluster)
            raise

    def undo(self, cluster: Cluster) -> str:
        """Removes its rules from every node; each is tried."""
        if not self._nodes:
            return "nothing was cut"
        troubles = Troubles()
        had: list[str] = []

        def heal_at(name: str, filter_file: LinkFilterFile) -> None:
            with troubles.collected():
                if self.name in filter_file.owners:
                    had.append(name)
                    filter_file.set(self.name, ())

        at_once(lambda one: heal_at(*one), filters_of(cluster).items())
        troubles.raise_any()
        return f"removed the rules of {self.name} from {', '.join(sorted(had)) or 'no node'}"

    def require_healed(self, cluster: Cluster) -> None:
        """HostTrouble unless its rules are gone and every pair of nodes answers; left out are nodes at which another
        fault of this run has rules: its heal checks them."""
        filters = filters_of(cluster)
        if places := [name for name, one in filters.items() if self.name in one.owners]:
            raise HostTrouble(f"the rules of {self.name} are still there after the heal: {', '.join(places)}")
        names = [node_name(node.id) for node in cluster.nodes]
        free = [name for name in names if name not in filters or not filters[name].owners]
        shut = [(a, b) for a in free for b in free if a != b]

        def all_answer() -> bool:
            answers = at_once(lambda pair: self.is_open(cluster, *pair), shut)
            shut[:] = [pair for pair, is_up in zip(list(shut), answers, strict=True) if is_up is False]
            return not shut

        try:
            wait_until(all_answer, OPEN_WITHIN_S, "", every_s=0.2)
        except HostTrouble:
            pairs = ", ".join(f"{source} to {target}" for source, target in shut)
            raise HostTrouble(
                f"after the heal, still no connection from {pairs} (waited {OPEN_WITHIN_S:g} s)"
            ) from None

    def is_open(self, cluster: Cluster, source: str, target: str, listener: str | None = None) -> bool | None:
        """Whether the target answers what comes from the source, at each listener between nodes or at the one given; a
        refusal is an answer. None where that cannot be told: it has no such listener, or is paused, or does not filter
        its links."""
        said = _said(cluster, source, target, listener)
        return Said.NOTHING not in said if said else None

    def _proof(self, cluster: Cluster, links: Sequence[tuple[str, str]], listener: str | None) -> str:
        probes = sorted({probe for who, whom in links for probe in ((whom, who), (who, whom)) if probe[1] != CLIENTS})
        said = at_once(lambda probe: _said(cluster, *probe, listener), probes)
        # A node that is dead, or only just starting, refuses whoever comes: that is no answer of its own.
        if through := [f"{a} to {b}" for (a, b), words in zip(probes, said, strict=True) if Said.ANSWER in words]:
            raise HostTrouble(f"the partition had no effect: a probe was answered from {', '.join(through)}")
        filters = filters_of(cluster)
        held = [name for name in self._nodes if filters[name].holds()]
        return (
            f"{sum(map(len, said))} probes across the partition got no answer in {PROBE_S:g} s; "
            f"the link filters of {', '.join(held) or 'no node that runs'} hold the rules"
        )


def filters_of(cluster: Cluster) -> dict[str, LinkFilterFile]:
    """The link filters, by the name of their node."""
    return {node_name(node.id): node.link_filter for node in cluster.nodes if node.link_filter is not None}


def clear_filters(cluster: Cluster) -> tuple[str, ...]:
    """Removes the rules of all faults at all nodes; "cut 3 at node 1", …"""
    return tuple(f"{owner} at {name}" for name, one in filters_of(cluster).items() for owner in one.clear())


def rules_of(
    links: Sequence[tuple[str, str]], nodes: Sequence[Node], listener: str | None = None
) -> dict[str, tuple[str, ...]]:
    """The rules that cut links, on all listeners or on one, by the node where they stand; of clients, on theirs.

    HostTrouble for a link that neither end filters.
    """
    by_name = {node_name(node.id): node for node in nodes}
    found: dict[str, list[str]] = {}
    for who, whom in links:
        ends = [("from", who, whom), ("to", whom, who)]
        filtered = [one for one in ends if one[1] in by_name and by_name[one[1]].link_filter is not None]
        if not filtered:
            raise HostTrouble(f"the link between {who} and {whom} cannot be cut: neither end filters its links")
        for way, at, other in filtered:
            found.setdefault(at, []).extend(
                _of_clients(way, by_name[at])
                if other == CLIENTS
                else _of_node(way, by_name[at], by_name[other], listener)
            )
    return {at: tuple(dict.fromkeys(rules)) for at, rules in found.items() if rules}


def _of_clients(way: str, node: Node) -> list[str]:
    return [f"drop {way} clients on {name}" for name in sorted(node.ports) if name not in _CLIENT_IDS]


def _of_node(way: str, node: Node, other: Node, listener: str | None) -> list[str]:
    if listener is not None and listener not in node.ports and listener not in other.ports:
        return []
    where = "" if listener is None else f" on {listener}"
    host = other.address[0]
    # Before it knows who answers at a bootstrap server's address, a node knows the address alone.
    subjects = [str(other.id), *(f"{host}:{other.ports[name]}" for name in _CLIENT_IDS if name in other.ports)]
    return [f"drop {way} {subject}{where}" for subject in subjects]


def _said(cluster: Cluster, source: str, target: str, listener: str | None) -> list[Said]:
    """What came back of each probe of a link."""
    nodes = {node_name(node.id): node for node in cluster.nodes}
    node = nodes[target]
    if node.link_filter is None or (node.is_alive() and node.is_paused()):
        return []
    if source == CLIENTS:
        return [_answers(node.address, _OF_OUR_CLIENTS)]
    listeners = [name for name in _CLIENT_IDS if name in node.ports and listener in (None, name)]
    host, source_id = node.address[0], nodes[source].id
    return at_once(lambda name: _answers((host, node.ports[name]), _CLIENT_IDS[name].format(source_id)), listeners)


def _answers(address: tuple[str, int], client_id: str) -> Said:
    try:
        connection = RawConnection(*address, client_id=client_id, timeout_s=PROBE_S)
    except ConnectionRefusedError:
        return Said.REFUSAL
    except OSError:
        return Said.NOTHING
    try:
        connection.listed(_API_VERSIONS)
    except (OSError, MalformedRequest):
        return Said.NOTHING
    finally:
        connection.close()
    return Said.ANSWER
