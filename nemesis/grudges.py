"""Grudges, Jepsen's word for which node ignores which: pure functions of the view of the cluster and the seed.

A grudge is drawn over the nodes that a partition is between: all, the brokers, or the voters. A link is an ordered pair
(who, whom): `who` no longer hears `whom`. TCP needs both directions, so a link cut in one direction stops connections
in both, but not alike: the one side's requests arrive and its answers are lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random

from harness.targets.cluster_view import ClusterView
from nemesis.node_specs import (
    NodeSpec,
    NoSuchNode,
    controller,
    coordinator,
    followers,
    leader,
    minority,
    nodes_text,
    one,
)

Link = tuple[int, int]
"""(who, whom): `who` no longer hears `whom`; ids of nodes."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A drawn grudge: its links, the nodes that it cuts off from the rest (none in a ring), and why these."""

    links: tuple[Link, ...]
    cut_off: tuple[int, ...]
    because: str


@dataclass(frozen=True, slots=True)
class Grudge:
    """A kind of split. `draw` takes the view, the nodes that the split is between, and the seed's randomness."""

    name: str
    draw: Callable[[ClusterView, Sequence[int], Random], Cut]
    least_nodes: int = 2
    names_nodes: bool = True
    """Whether it has a side that is cut off, so that clients can be cut off from it too."""

    def __str__(self) -> str:
        return self.name


def both_ways(one_side: Iterable[int], other_side: Iterable[int]) -> tuple[Link, ...]:
    """All links between two sides, in both directions, in order."""
    pairs = [(a, b) for a in one_side for b in other_side]
    return tuple(sorted({*pairs, *((b, a) for a, b in pairs)}))


def isolate(spec: NodeSpec) -> Grudge:
    """The chosen nodes still reach each other, and no other node."""

    def draw(view: ClusterView, nodes: Sequence[int], chance: Random) -> Cut:
        chosen, rest, because = _sides(spec, view, nodes, chance)
        return Cut(both_ways(chosen, rest), chosen, because)

    return Grudge(f"isolate {spec}", draw, max(2, spec.least_nodes))


def deaf(spec: NodeSpec) -> Grudge:
    """The chosen nodes no longer hear the others; what they send still arrives."""

    def draw(view: ClusterView, nodes: Sequence[int], chance: Random) -> Cut:
        chosen, rest, because = _sides(spec, view, nodes, chance)
        return Cut(tuple((who, whom) for who in chosen for whom in rest), chosen, f"{because}, deaf")

    return Grudge(f"deaf {spec}", draw, max(2, spec.least_nodes))


def mute(spec: NodeSpec) -> Grudge:
    """The others no longer hear the chosen nodes; what is sent to these still arrives."""

    def draw(view: ClusterView, nodes: Sequence[int], chance: Random) -> Cut:
        chosen, rest, because = _sides(spec, view, nodes, chance)
        return Cut(tuple((who, whom) for who in rest for whom in chosen), chosen, f"{because}, mute")

    return Grudge(f"mute {spec}", draw, max(2, spec.least_nodes))


def one_way(spec: NodeSpec) -> Grudge:
    """Deaf or mute, by chance."""

    def draw(view: ClusterView, nodes: Sequence[int], chance: Random) -> Cut:
        return chance.choice((deaf, mute))(spec).draw(view, nodes, chance)

    return Grudge(f"one-way {spec}", draw, max(2, spec.least_nodes))


def _halves(view: ClusterView, nodes: Sequence[int], chance: Random) -> Cut:
    order = _shuffled(nodes, 2, chance)
    smaller, larger = sorted(order[: len(order) // 2]), sorted(order[len(order) // 2 :])
    because = f"{_listed(smaller)} | {_listed(larger)}"
    return Cut(both_ways(smaller, larger), tuple(smaller), because)


def _bridge(view: ClusterView, nodes: Sequence[int], chance: Random) -> Cut:
    order = _shuffled(nodes, 3, chance)
    middle, rest = order[0], order[1:]
    smaller, larger = sorted(rest[: len(rest) // 2]), sorted(rest[len(rest) // 2 :])
    because = f"{_listed(smaller)} | {_listed(larger)}, and node {middle} sees both"
    return Cut(both_ways(smaller, larger), (), because)


def _majorities_ring(view: ClusterView, nodes: Sequence[int], chance: Random) -> Cut:
    """Each node keeps its nearest neighbours in a ring, as few as make a majority with itself.

    With three nodes the ring is a line: a majority is two nodes, and TCP needs both directions of a link.
    """
    order = _shuffled(nodes, 3, chance)
    count = len(order)
    if count == 3:
        first, _, last = order
        return Cut(both_ways([first], [last]), (), f"ring {_listed(order)}, open between {first} and {last}")
    reach = (count // 2 + 1) // 2
    links = [
        (order[a], order[b])
        for a in range(count)
        for b in range(count)
        if min((a - b) % count, (b - a) % count) > reach
    ]
    return Cut(tuple(sorted(links)), (), f"ring {_listed(order)}, each sees {reach} on either side")


halves = Grudge("halves", _halves)
"""Two halves; of an odd number one has the majority."""
bridge = Grudge("bridge", _bridge, 3, names_nodes=False)
"""Two halves and one node that sees both."""
majorities_ring = Grudge("majorities ring", _majorities_ring, 3, names_nodes=False)
"""Every node sees a majority, and no two see the same."""
isolate_one = isolate(one)
isolate_leader = isolate(leader)
isolate_followers = isolate(followers)
isolate_controller = isolate(controller)
isolate_coordinator = isolate(coordinator)
isolate_minority = isolate(minority)
one_way_one = one_way(one)
one_way_leader = one_way(leader)

GRUDGES: tuple[tuple[Grudge, str], ...] = (
    (isolate_one, "one node, by chance, is cut off from all others"),
    (isolate_leader, "the leader of a partition under check is cut off from all others"),
    (isolate_followers, "the followers of a partition under check are cut off from all others"),
    (isolate_controller, "the active controller is cut off from all others"),
    (isolate_coordinator, "the coordinator of a group under check is cut off from all others"),
    (isolate_minority, "a minority is cut off from all others"),
    (halves, "two halves"),
    (majorities_ring, "every node sees a majority, no two the same"),
    (bridge, "two halves, and one node that sees both"),
    (one_way_one, "one node no longer hears the others, or is no longer heard"),
    (one_way_leader, "the leader of a partition under check no longer hears the others, or is no longer heard"),
)
"""The ones that a command can name, each with what it does."""


def grudge_named(name: str) -> Grudge:
    """The grudge of that name, with spaces or hyphens. ValueError, with the known names, for an unknown one."""
    for grudge, _ in GRUDGES:
        if name in (grudge.name, grudge.name.replace(" ", "-")):
            return grudge
    known = ", ".join(grudge.name.replace(" ", "-") for grudge, _ in GRUDGES)
    raise ValueError(f"unknown grudge {name!r} (known: {known})")


def _sides(
    spec: NodeSpec, view: ClusterView, nodes: Sequence[int], chance: Random
) -> tuple[tuple[int, ...], tuple[int, ...], str]:
    """The chosen nodes among those that the split is between, the rest, and why."""
    found = spec.choose(view, chance)
    chosen = tuple(node for node in found.nodes if node in set(nodes))
    rest = tuple(node for node in sorted(nodes) if node not in set(chosen))
    if not chosen or not rest:
        raise NoSuchNode(f"{found.because}, {nodes_text(found.nodes)}, cannot be cut off from {nodes_text(nodes)}")
    return chosen, rest, found.because


def _shuffled(nodes: Sequence[int], least: int, chance: Random) -> list[int]:
    order = sorted(nodes)
    if len(order) < least:
        raise NoSuchNode(f"{nodes_text(order)}: too few nodes for this grudge, which needs {least}")
    chance.shuffle(order)
    return order


def _listed(nodes: Sequence[int]) -> str:
    return " ".join(map(str, nodes))
