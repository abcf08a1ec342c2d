"""Directed sequences: a few faults in an order that random schedules seldom hit; each step depends on the one before.

Sources: Jepsen's tests of NATS (pause-kill, part-kill), redpanda's chaos suite (isolate the leader, its clients with
it), Kafka's system tests (rolls).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from harness.targets.cluster_view import ClusterView
from nemesis.fault import Fault
from nemesis.grudges import isolate, isolate_leader
from nemesis.kill import Kill
from nemesis.leadership import Change, Leadership
from nemesis.node_specs import Chosen, NodeSpec, NoSuchNode, leader, minority, nodes_text
from nemesis.partition import Between, Partition
from nemesis.pause import Pause
from nemesis.roll import Order, Roll
from nemesis.schedules import Spell

STEP_S = 8.0
"""How long a step lasts: longer than a broker's session timeout, so that other leaders are elected meanwhile."""
AFTER_S = 10.0
"""How long a run continues under load after its last heal."""
_OVERLAP_S = 0.1
"""How long after the start of the next fault a fault is healed, where the two must overlap."""


@dataclass(frozen=True, slots=True)
class FaultSequence:
    """A directed sequence: what it does, and its spells, which may overlap, from a moment on."""

    name: str
    does: str
    make: Callable[[float, float], tuple[Spell, ...]]
    """(when it begins, how long a step lasts, in seconds) -> its spells."""
    least_nodes: int = 3
    config: Mapping[str, str] = field(default_factory=dict)
    """Settings without which a step takes too long to have its effect."""

    def spells(self, begin_s: float = 2.0, step_s: float = STEP_S) -> tuple[Spell, ...]:
        """New faults each time; times in seconds since the run phase began."""
        return self.make(begin_s, step_s)

    def lasts_s(self, begin_s: float = 2.0, step_s: float = STEP_S) -> float:
        """How long a run of it lasts: until its last heal, and a while under load after that."""
        return max(spell.end_s for spell in self.spells(begin_s, step_s)) + AFTER_S

    def __str__(self) -> str:
        return self.name


class Part:
    """The nodes that a step has chosen, for the steps that come after it."""

    def __init__(self) -> None:
        self.nodes: tuple[int, ...] = ()

    def chosen_by(self, spec: NodeSpec) -> NodeSpec:
        """The same nodes as the spec's, remembered."""

        def choose(view: ClusterView, chance: Random) -> Chosen:
            chosen = spec.choose(view, chance)
            self.nodes = chosen.nodes
            return chosen

        return NodeSpec(spec.name, choose, spec.least_nodes)

    def chosen_beside(self, other: Part) -> NodeSpec:
        """One broker that the other step has not chosen, remembered."""

        def choose(view: ClusterView, chance: Random) -> Chosen:
            left = [node for node in sorted(view.brokers) if node not in other.nodes]
            if not left:
                raise NoSuchNode(f"there is no broker other than {nodes_text(other.nodes)}")
            self.nodes = (chance.choice(left),)
            return Chosen(self.nodes, f"one other than {nodes_text(other.nodes)}")

        return NodeSpec("another", choose, 2)


def together(*parts: Part) -> NodeSpec:
    """The nodes of earlier steps."""

    def choose(view: ClusterView, chance: Random) -> Chosen:
        nodes = tuple(sorted({node for part in parts for node in part.nodes}))
        return Chosen(nodes, f"{nodes_text(nodes)} of earlier steps")

    return NodeSpec("those of earlier steps", choose, 2)


def _minority_returns(away: Callable[[NodeSpec], Fault]) -> Callable[[float, float], tuple[Spell, ...]]:
    def make(begin_s: float, step_s: float) -> tuple[Spell, ...]:
        absent, killed = Part(), Part()
        last_s = begin_s + 2 * step_s
        return (
            Spell((away(absent.chosen_by(minority)),), begin_s, last_s + _OVERLAP_S),
            Spell((Kill(killed.chosen_beside(absent)),), begin_s + step_s, last_s + _OVERLAP_S),
            Spell((Partition(isolate(together(absent, killed))),), last_s, last_s + step_s),
        )

    return make


def _lone_leader(between: Between) -> Callable[[float, float], tuple[Spell, ...]]:
    def make(begin_s: float, step_s: float) -> tuple[Spell, ...]:
        return (Spell((Partition(isolate_leader, between),), begin_s, begin_s + 2 * step_s),)

    return make


def _roll_after_the_controller(begin_s: float, step_s: float) -> tuple[Spell, ...]:
    return (Spell((Roll(Order.CONTROLLER_NEXT),), begin_s, begin_s + _OVERLAP_S),)


def _last_in_sync(begin_s: float, step_s: float) -> tuple[Spell, ...]:
    first = Part()
    return (
        Spell((Partition(isolate(first.chosen_by(leader)), Between.BROKERS),), begin_s, begin_s + 2 * step_s),
        Spell((Kill(together(first)),), begin_s + step_s, begin_s + 4 * step_s),
        Spell((Leadership(Change.UNCLEAN),), begin_s + 3 * step_s, begin_s + 4 * step_s + _OVERLAP_S),
    )


pause_kill = FaultSequence(
    "pause-kill",
    "pause a minority, kill another node, bring both back as a majority with the rest cut off, heal",
    _minority_returns(Pause),
)
part_kill = FaultSequence(
    "part-kill",
    "cut off a minority, kill another node, bring both back as a majority with the rest cut off, heal",
    _minority_returns(lambda spec: Partition(isolate(spec))),
)
lone_leader = FaultSequence(
    "lone-leader",
    "cut the leader off from all nodes while its clients still reach it, until another leads; heal",
    _lone_leader(Between.NODES),
)
lone_leader_with_clients = FaultSequence(
    "lone-leader-with-clients",
    "cut the leader off from all nodes, and its clients from all but the leader, until another leads; heal",
    _lone_leader(Between.NODES_WITH_CLIENTS),
)
moving_controller = FaultSequence(
    "moving-controller",
    "restart all nodes in turn, always the active controller next",
    _roll_after_the_controller,
)
last_in_sync = FaultSequence(
    "last-in-sync",
    "cut replication until the leader alone is in sync, kill it, elect a follower uncleanly, bring it back",
    _last_in_sync,
    config={"replica.lag.time.max.ms": "3000"},
)

SEQUENCES = (pause_kill, part_kill, lone_leader, lone_leader_with_clients, moving_controller, last_in_sync)
"""The ones that a command can name."""


def sequence_named(name: str) -> FaultSequence:
    """The sequence of that name. ValueError, with the known names, for an unknown one."""
    for sequence in SEQUENCES:
        if sequence.name == name:
            return sequence
    raise ValueError(f"unknown sequence {name!r} (known: {', '.join(map(str, SEQUENCES))})")
