"""The links between nodes, and between clients and nodes: packet rules are set on hosts here, probed, and removed."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Protocol

from harness.clients.connection import RawConnection
from harness.hosts.at_once import at_once
from harness.hosts.host import Host, HostTrouble, wait_until
from harness.hosts.identity import is_dead, own_identity, parse
from harness.targets.node_plan import CONTROLLER, INTERNAL
from nemesis.rules import (
    CLIENTS,
    LIST_SCRIPT,
    SHAPING,
    Party,
    Rule,
    chain_name,
    chains_in,
    install_script,
    node_name,
    packets_in,
    remove_script,
)
from nemesis.shaping import REMOVE_SHAPING
from reference_broker.wire.primitives import MalformedRequest

PROBE_S = 1.5
"""How long a probe waits for an answer: more than the second after which TCP sends its first packet again."""
OPEN_WITHIN_S = 30.0
"""How long a healed link may take to answer again."""
_API_VERSIONS = 18
_numbers = itertools.count(1)


class LinkedNode(Protocol):
    """The part of a node that links use."""

    @property
    def id(self) -> int:
        """Its node.id."""
        ...

    @property
    def address(self) -> tuple[str, int]:
        """Host and port at which clients reach it."""
        ...

    @property
    def internal_address(self) -> str | None:
        """The address from which its packets come and at which its peers reach it."""
        ...

    @property
    def ports(self) -> Mapping[str, int]:
        """Listener → port."""
        ...

    @property
    def host(self) -> Host | None:
        """Runs commands inside the node's network namespace."""
        ...


class LinkedCluster(Protocol):
    """The part of a cluster that links use."""

    @property
    def nodes(self) -> Sequence[LinkedNode]:
        """All nodes."""
        ...

    @property
    def client_addresses(self) -> tuple[str, ...]:
        """Addresses of our clients, as the nodes see them."""
        ...


def parties_of(cluster: LinkedCluster) -> dict[str, Party]:
    """The ends of links by name. HostTrouble when a node has no address of its own."""
    parties = {CLIENTS: Party(name=CLIENTS, addresses=cluster.client_addresses)}
    for node in cluster.nodes:
        if node.internal_address is None:
            raise HostTrouble(f"node {node.id} has no address of its own, so its packets cannot be identified")
        name = node_name(node.id)
        parties[name] = Party(name=name, addresses=(node.internal_address,), ports=node.ports)
    return parties


class Chain:
    """The packet rules of one fault, on every node where it has some."""

    def __init__(self, cluster: LinkedCluster, *, is_shaping: bool = False) -> None:
        """`is_shaping`: its rules only count, and its fault has set a queueing discipline on the same nodes."""
        self._hosts = hosts_of(cluster)
        self._owner = own_identity().text()
        self.name = chain_name(self._owner, next(_numbers), is_shaping=is_shaping)
        self.is_shaping = is_shaping
        self._rules: tuple[Rule, ...] = ()

    def install(self, rules: Sequence[Rule]) -> None:
        """Sets the rules on all nodes at about the same time. When one fails, all are removed
        again. HostTrouble."""
        self._rules = tuple(rules)
        places = sorted({rule.at for rule in rules})
        try:
            at_once(lambda at: self._script(at, install_script(self.name, self._owner, self._at(at))), places)
        except HostTrouble:
            self.remove()
            raise

    def packets(self) -> dict[Rule, int]:
        """How many packets each rule has matched."""
        counted: dict[Rule, int] = {}
        for at, tool in sorted({(rule.at, rule.tool) for rule in self._rules}):
            own = [rule for rule in self._at(at) if rule.tool == tool]
            listing = run_in(self._hosts[at], at, [tool, "-w", "-v", "-S", self.name])
            try:
                counted.update(zip(own, packets_in(listing, self.name, len(own)), strict=True))
            except ValueError as trouble:
                raise HostTrouble(f"{at}: {trouble}") from trouble
        return counted

    def remove(self) -> tuple[str, ...]:
        """Removes the chain from every node and checks that it is gone; the nodes that had it. Each node is tried.

        HostTrouble, after all were tried, when it stays on one.
        """
        had: list[str] = []
        troubles: list[str] = []

        def remove_at(at: str) -> None:
            try:
                if self.name in self._chains_at(at):
                    had.append(at)
                    self._script(at, remove_script(self.name))
                    if self.name in self._chains_at(at):
                        raise HostTrouble(f"{at}: the chain {self.name} is still there after its removal")
            except HostTrouble as trouble:
                troubles.append(str(trouble))

        at_once(remove_at, sorted(self._hosts))
        if troubles:
            raise HostTrouble("; ".join(sorted(troubles)))
        return tuple(sorted(had))

    def places(self) -> tuple[str, ...]:
        """The nodes that have the chain now."""
        return tuple(at for at in sorted(self._hosts) if self.name in self._chains_at(at))

    def _at(self, at: str) -> list[Rule]:
        return [rule for rule in self._rules if rule.at == at]

    def _chains_at(self, at: str) -> dict[str, str]:
        return chains_in(run_in(self._hosts[at], at, ["sh", "-c", LIST_SCRIPT]))

    def _script(self, at: str, script: str) -> None:
        run_in(self._hosts[at], at, ["sh", "-c", script])


def sweep(cluster: LinkedCluster, *, with_own: bool = False) -> tuple[str, ...]:
    """Removes the chains that dead runs have left on the nodes, and on demand all of this one; "CHAIN of node 1", …"""
    own, swept = own_identity().text(), []
    for node in cluster.nodes:
        if node.host is None:
            continue
        at = node_name(node.id)
        for chain, owner in chains_in(run_in(node.host, at, ["sh", "-c", LIST_SCRIPT])).items():
            identity = parse(owner)
            is_left = identity is not None and is_dead(identity, is_of_this_machine=False)
            if is_left or (with_own and owner == own):
                scripts = [REMOVE_SHAPING] if chain.endswith(SHAPING) else []
                run_in(node.host, at, ["sh", "-c", "\n".join([*scripts, remove_script(chain)])])
                swept.append(f"{chain} of {at}")
    return tuple(swept)


def probes_of(link: tuple[str, str], parties: Mapping[str, Party]) -> tuple[tuple[str, str], ...]:
    """(from, to) of the connections that a cut of the link stops: both directions, to ends that listen."""
    who, whom = link
    return tuple((a, b) for a, b in ((whom, who), (who, whom)) if parties[b].ports)


def is_open(cluster: LinkedCluster, source: str, target: str, listener: str | None = None) -> bool | None:
    """Whether a connection reaches the target; a refusal is an answer. None when it has no such listener.

    Also true for a node whose process is paused or dead: what is asked is the link, not the broker. Only our clients
    ask the broker itself, since a forwarded port takes connections for it.
    """
    nodes = {node_name(node.id): node for node in cluster.nodes}
    node = nodes[target]
    if source == CLIENTS:
        return _answers(node.address)
    port = node.ports.get(listener) if listener else _any_port(node.ports)
    if port is None:
        return None
    words = f"exec 3<>/dev/tcp/{node.internal_address}/{port}"
    command = ["env", "LC_ALL=C", "timeout", str(PROBE_S), "bash", "-c", words]
    result = host_of(nodes[source]).run(command, timeout_s=PROBE_S + 20)
    if result.status in (0, 124):
        return result.status == 0
    if "refused" in result.errors:
        return True
    if any(words in result.errors for words in ("unreachable", "No route", "timed out")):
        return False
    raise HostTrouble(f"{source}: a probe of {target} failed: {result.errors.strip() or f'status {result.status}'}")


def connect_ms(cluster: LinkedCluster, source: str, target: str) -> float:
    """How long a connection between two nodes takes to be made (ms), the shortest of three. HostTrouble for none."""
    nodes = {node_name(node.id): node for node in cluster.nodes}
    node = nodes[target]
    place = f"/dev/tcp/{node.internal_address}/{_any_port(node.ports)}"
    words = f"for i in 1 2 3; do s=$(date +%s%N); exec 3<>{place}; e=$(date +%s%N); exec 3>&-; echo $((e - s)); done"
    took_ns = run_in(host_of(nodes[source]), source, ["timeout", "20", "bash", "-c", words]).split()
    return min(map(int, took_ns)) / 1e6


def prove_cut(cluster: LinkedCluster, chain: Chain, rules: Sequence[Rule], listener: str | None) -> str:
    """The proof that links are cut, as a sentence: probes across get no answer, and packets were dropped. HostTrouble
    when a probe is answered, or when no packet was dropped on a link."""
    parties = parties_of(cluster)
    links = {rule.link for rule in rules}
    probes = sorted({probe for link in links for probe in probes_of(link, parties)})
    answered = at_once(lambda probe: is_open(cluster, *probe, listener), probes)
    if through := [f"{source} to {target}" for (source, target), is_up in zip(probes, answered, strict=True) if is_up]:
        raise HostTrouble(f"the partition had no effect: a probe was answered from {', '.join(through)}")
    packets = chain.packets()
    for who, whom in sorted(links):
        counted = {(who, whom), (whom, who)} & links
        if not sum(count for rule, count in packets.items() if rule.link in counted):
            raise HostTrouble(f"the partition had no effect: no packet was dropped between {whom} and {who}")
    made = sum(1 for is_up in answered if is_up is not None)
    dropped = sum(packets.values())
    return f"{made} probes across the partition got no answer in {PROBE_S:g} s; {dropped} packets were dropped"


def require_open(cluster: LinkedCluster, timeout_s: float = OPEN_WITHIN_S) -> int:
    """Waits until every pair of nodes answers, in both directions; how many pairs. HostTrouble when one does not.

    Nodes where another fault of this run still has a chain are left out: the heal of that fault checks them.
    """
    own = own_identity().text()
    names = [
        node_name(node.id)
        for node in cluster.nodes
        if own not in chains_in(run_in(host_of(node), node_name(node.id), ["sh", "-c", LIST_SCRIPT])).values()
    ]
    shut = [(a, b) for a in names for b in names if a != b]
    count = len(shut)

    def all_answer() -> bool:
        answers = at_once(lambda pair: is_open(cluster, *pair), shut)
        shut[:] = [pair for pair, is_up in zip(list(shut), answers, strict=True) if is_up is False]
        return not shut

    try:
        wait_until(all_answer, timeout_s, "", every_s=0.2)
    except HostTrouble:
        pairs = ", ".join(f"{source} to {target}" for source, target in shut)
        raise HostTrouble(f"after the heal, still no connection from {pairs} (waited {timeout_s:g} s)") from None
    return count


def _answers(address: tuple[str, int]) -> bool:
    try:
        connection = RawConnection(*address, timeout_s=PROBE_S)
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    try:
        connection.listed(_API_VERSIONS)
    except (OSError, MalformedRequest):
        return False
    finally:
        connection.close()
    return True


def _any_port(ports: Mapping[str, int]) -> int | None:
    for name in (INTERNAL, CONTROLLER, *sorted(ports)):
        if name in ports:
            return ports[name]
    return None


def hosts_of(cluster: LinkedCluster) -> dict[str, Host]:
    """Where commands are run inside each node's network namespace, by the node's name in links."""
    return {node_name(node.id): host_of(node) for node in cluster.nodes}


def host_of(node: LinkedNode) -> Host:
    """Where commands are run inside a node's network namespace. HostTrouble when it has none of its own."""
    if node.host is None:
        raise HostTrouble(f"node {node.id} has no network namespace in which commands can be run")
    return node.host


def run_in(host: Host, at: str, command: Sequence[str]) -> str:
    """The output of a command on a host. HostTrouble, with its error output, when it fails."""
    result = host.run(command)
    if result.status:
        text = result.errors.strip() or f"status {result.status}"
        raise HostTrouble(f"{at}: {command[-1].splitlines()[-1] if command[0] == 'sh' else command[0]}: {text}")
    return result.output
