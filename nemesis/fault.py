"""What every fault is: it strikes one node, it heals itself, and it proves that it has healed."""

from __future__ import annotations

from random import Random
from typing import Protocol

from harness.hosts.host import HostTrouble
from harness.targets.target import Cluster, Node


class Fault(Protocol):
    """Trouble made on purpose. A fault object may be used again after its heal, on one cluster at a time."""

    @property
    def name(self) -> str:
        """As in histories, reports and `supports`."""
        ...

    def inject(self, cluster: Cluster, random: Random) -> str:
        """Does it, and says to whom. HostTrouble when it cannot be done: then no check may be judged by it."""
        ...

    def heal(self, cluster: Cluster) -> str:
        """Undoes it and waits until the nodes answer; idempotent, so that it can also be the last act of a run."""
        ...

    def verify_healed(self, cluster: Cluster) -> None:
        """HostTrouble when a node is still dead, still paused, or does not answer."""
        ...


def choose_node(cluster: Cluster, random: Random) -> Node:
    """A node to strike. HostTrouble when the cluster has none in our hands."""
    if not cluster.nodes:
        raise HostTrouble(f"the cluster at {cluster.bootstrap} has no nodes that we may harm")
    return random.choice(cluster.nodes)


def resume_paused(cluster: Cluster) -> list[int]:
    """Continues every paused node; their ids."""
    paused = [node for node in cluster.nodes if node.is_alive() and node.is_paused()]
    for node in paused:
        node.resume()
    return [node.id for node in paused]


def start_dead(cluster: Cluster) -> list[int]:
    """Starts every node that does not run; their ids. They may not answer yet."""
    dead = [node for node in cluster.nodes if not node.is_alive()]
    for node in dead:
        node.start()
    return [node.id for node in dead]


def clear_disks(cluster: Cluster) -> list[int]:
    """Makes room on every disk that was filled and restarts its node, whose log folder stays offline until then."""
    filled = [node for node in cluster.nodes if node.small_disk is not None and node.small_disk.is_filled]
    for node in filled:
        assert node.small_disk is not None
        node.small_disk.make_room()
        node.stop()
        node.start()
    return [node.id for node in filled]


def require_healthy(cluster: Cluster) -> None:
    """Every node is alive, not paused, and answers requests; else HostTrouble."""
    for node in cluster.nodes:
        if not node.is_alive():
            raise HostTrouble(f"node {node.id} does not run after the heal")
        if node.is_paused():
            raise HostTrouble(f"node {node.id} is still paused after the heal")
        node.wait_ready()


def restore(cluster: Cluster) -> str:
    """The last act of any run, whatever faults it had: all nodes resumed, started and answering, no disk full."""
    resumed = resume_paused(cluster)
    restarted = clear_disks(cluster)
    started = [*restarted, *start_dead(cluster)]
    require_healthy(cluster)
    return f"resumed {resumed or 'none'}, started {started or 'none'}, all answer"


def nodes_text(ids: list[int]) -> str:
    """ "node 1", "nodes 1, 2", or "no node"."""
    if not ids:
        return "no node"
    return f"node{'s' if len(ids) > 1 else ''} {', '.join(map(str, ids))}"
