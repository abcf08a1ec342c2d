"""The texts of packet rules, and what is read back of them: pure. Each fault has a chain of its own, with its owner.

A chain is entered from INPUT and OUTPUT. Its last rule does nothing and names the owner, so that a later run can find
what a dead run has left. Only whole chains are added and removed; rules of others are never touched.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2s

from harness.targets.node_plan import CONTROLLER, INTERNAL

CLIENTS = "clients"
"""The name of our clients, all together, in links."""
PREFIX = "KCHK-"
SHAPING = "t"
"""The end of the names of chains whose fault has set a queueing discipline too."""
DROP = ("-j", "DROP")
_COUNTED = re.compile(r"-c (\d+) (\d+)")


def node_name(node: int) -> str:
    """A node's name in links: "node 1"."""
    return f"node {node}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """An end of links: a node, or our clients."""

    name: str
    addresses: tuple[str, ...]
    """From which its packets come."""
    ports: Mapping[str, int] = field(default_factory=dict)
    """Listener → port; empty for clients."""

    @property
    def client_ports(self) -> tuple[int, ...]:
        """The ports of the listeners that clients use."""
        return tuple(sorted(port for name, port in self.ports.items() if name not in (INTERNAL, CONTROLLER)))


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: where it stands, for which link (who, whom), which packets it matches, and what it does with them."""

    at: str
    link: tuple[str, str]
    match: tuple[str, ...]
    action: tuple[str, ...] = DROP

    @property
    def tool(self) -> str:
        """The program that sets it."""
        return "ip6tables" if any(":" in word for word in self.match) else "iptables"


def link_rules(
    link: tuple[str, str],
    parties: Mapping[str, Party],
    listener: str | None = None,
    action: tuple[str, ...] = DROP,
) -> tuple[Rule, ...]:
    """Rules that drop what `whom` sends to `who`: on all ports, or on those of one listener.

    A rule is set at the receiver. Where the receiver is a client, it is set at the sending node. Clients are cut off
    from listeners for clients only, because the harness may reach the node's host from the same address.
    """
    who, whom = parties[link[0]], parties[link[1]]
    if CLIENTS in link:
        node, side, ports = (whom, "-d", "--sport") if who.name == CLIENTS else (who, "-s", "--dport")
        return tuple(
            Rule(node.name, link, (side, address, "-p", "tcp", ports, str(port)), action)
            for address in parties[CLIENTS].addresses
            for port in node.client_ports
        )
    if listener is None:
        return tuple(Rule(who.name, link, ("-s", address), action) for address in whom.addresses)
    requests = [("--dport", who.ports[listener])] if listener in who.ports else []
    answers = [("--sport", whom.ports[listener])] if listener in whom.ports else []
    return tuple(
        Rule(who.name, link, ("-s", address, "-p", "tcp", side, str(port)), action)
        for address in whom.addresses
        for side, port in (*requests, *answers)
    )


def chain_name(owner: str, number: int, *, is_shaping: bool = False) -> str:
    """The chain of one fault of one run; at most 28 characters, as iptables wants.

    Its end says whether the fault also shapes the packets that go out, since a queueing discipline has no tag.
    """
    return f"{PREFIX}{blake2s(owner.encode(), digest_size=6).hexdigest()}-{number}{SHAPING * is_shaping}"


def install_script(chain: str, owner: str, rules: Iterable[Rule]) -> str:
    """A shell script that builds the chain and then jumps to it, so that all its rules take effect at once."""
    lines = ["set -e"]
    by_tool: dict[str, list[Rule]] = {}
    for rule in rules:
        by_tool.setdefault(rule.tool, []).append(rule)
    for tool, own in by_tool.items():
        lines.append(f"{tool} -w -N {chain}")
        lines += [f"{tool} -w -A {chain} {shlex.join((*rule.match, *rule.action))}" for rule in own]
        lines.append(f"{tool} -w -A {chain} -m comment --comment {shlex.quote(owner)}")
        lines += [f"{tool} -w -I {hook} -j {chain}" for hook in ("INPUT", "OUTPUT")]
    return "\n".join(lines)


def remove_script(chain: str) -> str:
    """A shell script that removes the chain, however much of it exists; it may be run again."""
    lines = []
    for tool in ("iptables", "ip6tables"):
        lines.append(f"if {tool} -w -n -L {chain} >/dev/null 2>&1; then")
        lines += [f"  while {tool} -w -D {hook} -j {chain} 2>/dev/null; do :; done" for hook in ("INPUT", "OUTPUT")]
        lines += [f"  {tool} -w -F {chain}", f"  {tool} -w -X {chain}", "fi"]
    return "\n".join(lines)


LIST_SCRIPT = "iptables -w -S; ip6tables -w -S 2>/dev/null || true"
"""Prints all rules and chains of both tools."""


def chains_in(listing: str) -> dict[str, str]:
    """The chains of this project in a listing, of any run, each with its owner; "" for a chain without a tag."""
    owners: dict[str, str] = {}
    for line in listing.splitlines():
        words = shlex.split(line)
        if len(words) > 1 and words[0] == "-N" and words[1].startswith(PREFIX):
            owners.setdefault(words[1], "")
        if len(words) > 1 and words[0] == "-A" and words[1].startswith(PREFIX) and "--comment" in words:
            owners[words[1]] = words[words.index("--comment") + 1]
    return owners


def packets_in(listing: str, chain: str, count: int) -> list[int]:
    """Packets that the first `count` rules matched, from `iptables -v -S CHAIN`. ValueError when there are fewer."""
    found = [
        int(match.group(1))
        for line in listing.splitlines()
        if line.startswith(f"-A {chain} ") and (match := _COUNTED.search(line))
    ]
    if len(found) < count:
        raise ValueError(f"{chain}: {len(found)} rules are counted, {count} were set")
    return found[:count]


def at(node: str, rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """The rules of one node, in order."""
    return tuple(rule for rule in rules if rule.at == node)
