"""Which nodes a fault acts on: pure functions of the view of the cluster and the seed.

kill(leader)          the leader of one partition under check, chosen by the seed
pause(minority)       fewer than half of the brokers, and fewer than half of the voters
restart(controller)   the active controller
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from harness.hosts.host import HostTrouble
from harness.targets.cluster_view import ClusterView


class NoSuchNode(HostTrouble):
    """The cluster has no node of this kind now: no leader, no active controller, no coordinator."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The nodes, by id in ascending order, and why these, for the history: "leader of orders-0"."""

    nodes: tuple[int, ...]
    because: str


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """A kind of nodes. `least_nodes` is the smallest cluster that has it."""

    name: str
    choose: Callable[[ClusterView, Random], Chosen]
    least_nodes: int = 1
    does: str = ""
    """What it chooses, for lists."""

    def __call__(self, view: ClusterView, chance: Random) -> tuple[int, ...]:
        """Ids of the nodes, ascending. NoSuchNode when there are none now."""
        return self.choose(view, chance).nodes

    def __str__(self) -> str:
        return self.name


def leader_of(topic: str, partition: int = 0) -> NodeSpec:
    """The leader of one partition."""

    def choose(view: ClusterView, chance: Random) -> Chosen:
        return Chosen((_leader(view, topic, partition),), f"leader of {topic}-{partition}")

    return NodeSpec(f"leader of {topic}-{partition}", choose)


def followers_of(topic: str, partition: int = 0) -> NodeSpec:
    """All replicas of one partition but its leader."""

    def choose(view: ClusterView, chance: Random) -> Chosen:
        return _followers(view, topic, partition)

    return NodeSpec(f"followers of {topic}-{partition}", choose, 2)


def coordinator_of(group: str) -> NodeSpec:
    """The coordinator of one group."""

    def choose(view: ClusterView, chance: Random) -> Chosen:
        return _coordinator(view, group)

    return NodeSpec(f"coordinator of {group}", choose)


def exactly(*nodes: int) -> NodeSpec:
    """Nodes by their ids."""
    ids = tuple(sorted(set(nodes)))
    words = f"node{'s' if len(ids) > 1 else ''} {', '.join(map(str, ids))}"
    return NodeSpec(words, lambda view, chance: Chosen(ids, words))


def _one(view: ClusterView, chance: Random) -> Chosen:
    return Chosen((chance.choice(_all_of(view)),), "one, by chance")


def _one_broker(view: ClusterView, chance: Random) -> Chosen:
    if not view.brokers:
        raise NoSuchNode("no broker is registered and unfenced now")
    return Chosen((chance.choice(sorted(view.brokers)),), "one broker, by chance")


def _one_voter(view: ClusterView, chance: Random) -> Chosen:
    if not view.controllers:
        raise NoSuchNode("the voters of the quorum are not known now")
    return Chosen((chance.choice(sorted(view.controllers)),), "one voter, by chance")


def _minority(view: ClusterView, chance: Random) -> Chosen:
    """A random number of nodes, fewer than half of each role."""
    nodes = _shuffled(view, chance)
    most = chance.randint(1, max(1, (len(nodes) - 1) // 2))
    found: list[int] = []
    for node in nodes:
        if len(found) < most and _is_minority([*found, node], view):
            found.append(node)
    if not found:
        raise NoSuchNode(f"a cluster of {len(nodes)} nodes has no minority")
    return Chosen(tuple(sorted(found)), f"{len(found)} of {len(nodes)} nodes, a minority of each role")


def _majority(view: ClusterView, chance: Random) -> Chosen:
    """Random nodes, until they are more than half of the brokers and of the voters."""
    found: list[int] = []
    for node in _shuffled(view, chance):
        if not (_is_majority(found, view.brokers) and _is_majority(found, view.controllers)):
            found.append(node)
    return Chosen(tuple(sorted(found)), f"{len(found)} of {len(view.nodes)} nodes, a majority of each role")


def _every(view: ClusterView, chance: Random) -> Chosen:
    return Chosen(tuple(_all_of(view)), "all")


def _any_leader(view: ClusterView, chance: Random) -> Chosen:
    topic, partition = _partition(view, chance)
    return Chosen((_leader(view, topic, partition),), f"leader of {topic}-{partition}")


def _any_followers(view: ClusterView, chance: Random) -> Chosen:
    topic, partition = _partition(view, chance)
    return _followers(view, topic, partition)


def _controller(view: ClusterView, chance: Random) -> Chosen:
    if view.active_controller is None:
        raise NoSuchNode("no controller is active now")
    return Chosen((view.active_controller,), "active controller")


def _any_coordinator(view: ClusterView, chance: Random) -> Chosen:
    if not view.coordinators:
        raise NoSuchNode("no group under check has a coordinator now")
    return _coordinator(view, chance.choice(sorted(view.coordinators)))


one = NodeSpec("one", _one, does="any node, chosen by the seed")
one_broker = NodeSpec("broker", _one_broker, does="any broker, chosen by the seed; never a controller-only node")
one_voter = NodeSpec("voter", _one_voter, 2, "any voter of the quorum, chosen by the seed")
minority = NodeSpec("minority", _minority, 3, "fewer than half of each role: what the cluster must survive")
majority = NodeSpec("majority", _majority, does="more than half of each role: the cluster must stop, and lose nothing")
every = NodeSpec("all", _every, does="all nodes at once")
leader = NodeSpec("leader", _any_leader, does="the leader of a partition under check")
followers = NodeSpec("followers", _any_followers, 2, "all replicas of a partition under check but its leader")
controller = NodeSpec("controller", _controller, does="the active controller")
coordinator = NodeSpec("coordinator", _any_coordinator, does="the coordinator of a group under check")

NODE_SPECS = (one, one_broker, one_voter, minority, majority, every, leader, followers, controller, coordinator)
"""The ones that a command can name."""


def node_spec_named(name: str) -> NodeSpec:
    """The kind of that name. ValueError, with the known names, for an unknown one."""
    for spec in NODE_SPECS:
        if spec.name == name:
            return spec
    raise ValueError(f"unknown nodes {name!r} (known: {', '.join(spec.name for spec in NODE_SPECS)})")


def nodes_text(ids: Sequence[int]) -> str:
    """ "node 1", "nodes 1, 2", or "no node"."""
    if not ids:
        return "no node"
    return f"node{'s' if len(ids) > 1 else ''} {', '.join(map(str, ids))}"


def _all_of(view: ClusterView) -> list[int]:
    if not view.nodes:
        raise NoSuchNode("no node of the cluster can be controlled from here")
    return sorted(view.nodes)


def _shuffled(view: ClusterView, chance: Random) -> list[int]:
    nodes = _all_of(view)
    chance.shuffle(nodes)
    return nodes


def _is_minority(nodes: Sequence[int], view: ClusterView) -> bool:
    return all(2 * len(set(nodes) & set(role)) < max(1, len(role)) for role in (view.brokers, view.controllers))


def _is_majority(nodes: Sequence[int], role: Sequence[int]) -> bool:
    return not role or 2 * len(set(nodes) & set(role)) > len(role)


def _partition(view: ClusterView, chance: Random) -> tuple[str, int]:
    """One of the partitions that have a leader."""
    if not view.leaders:
        raise NoSuchNode("no partition under check has a leader now")
    return chance.choice(sorted(view.leaders))


def _leader(view: ClusterView, topic: str, partition: int) -> int:
    found = view.leader_of(topic, partition)
    if found is None:
        raise NoSuchNode(f"{topic}-{partition} has no leader now")
    return found


def _followers(view: ClusterView, topic: str, partition: int) -> Chosen:
    _leader(view, topic, partition)
    found = tuple(sorted(view.followers_of(topic, partition)))
    if not found:
        raise NoSuchNode(f"{topic}-{partition} has no followers")
    return Chosen(found, f"followers of {topic}-{partition}")


def _coordinator(view: ClusterView, group: str) -> Chosen:
    found = view.coordinator_of(group)
    if found is None:
        raise NoSuchNode(f"group {group} has no coordinator now")
    return Chosen((found,), f"coordinator of {group}")
