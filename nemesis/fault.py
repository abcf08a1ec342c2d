"""The interface of every fault: plan the nodes, inject and prove the effect, heal and prove the heal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from random import Random
from typing import Protocol, TypeVar

from harness.history.operations import FaultAct
from harness.hosts.host import HostTrouble
from harness.hosts.lack import Lack, Means
from harness.targets.cluster_view import ClusterView
from harness.targets.target import Cluster, Node

T = TypeVar("T")
R = TypeVar("R")


class Family(StrEnum):
    """What a fault acts on, in the order in which those of a combination are injected.

    Two faults of one family are not combined: one would hide or undo the other.
    """

    METADATA = "metadata"
    CLOCK = "clock"
    PROCESS = "process"
    LINK = "link"


class Fault(Protocol):
    """Trouble made on purpose. A fault may be used again after its heal, on one cluster at a time."""

    @property
    def kind(self) -> str:
        """ "kill", "partition", …: as in histories, and as asked of `Cluster.lack_for_fault`."""
        ...

    @property
    def name(self) -> str:
        """The kind and where: "kill leader"; also `str` of the fault."""
        ...

    @property
    def family(self) -> Family:
        """What it acts on."""
        ...

    def lack(self, cluster: Cluster) -> Lack | None:
        """What is missing on this cluster for this fault; None when it can be injected."""
        ...

    def plan(self, view: ClusterView, random: Random) -> FaultAct:
        """Which nodes and how; pure. HostTrouble when the cluster has no such nodes now."""
        ...

    def inject(self, cluster: Cluster, act: FaultAct) -> str:
        """Injects the fault and returns the proof of its effect. HostTrouble when it had none: then no check may be
        judged by it."""
        ...

    def heal(self, cluster: Cluster) -> str:
        """Undoes everything it did, and returns what was done; idempotent. Nodes need not answer yet."""
        ...

    def verify_healed(self, cluster: Cluster) -> None:
        """Waits until everything it touched works again. HostTrouble when it does not."""
        ...


def lack_of(cluster: Cluster, kind: str, name: str, least_nodes: int) -> Lack | None:
    """What is missing on a cluster for a fault: the means to inject it, or enough nodes."""
    if (found := cluster.lack_for_fault(kind)) is not None:
        return found.of(name)
    if len(cluster.nodes) < least_nodes:
        count = len(cluster.nodes)
        return Lack(Means.NODES, f"{name} needs {least_nodes} nodes; the cluster has {count}")
    return None


def require_well(node: Node) -> None:
    """Waits until a node that runs answers; HostTrouble when it does not, is dead or paused."""
    if not node.is_alive():
        raise HostTrouble(f"node {node.id} is not running after the heal")
    if node.is_paused():
        raise HostTrouble(f"node {node.id} is still paused after the heal")
    node.wait_ready()


class Troubles:
    """What failed, collected so that all the rest is tried first."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Keeps a HostTrouble of its block for later."""
        try:
            yield
        except HostTrouble as trouble:
            self.texts.append(str(trouble))

    def raise_any(self) -> None:
        """One HostTrouble with all of them, when there are any."""
        if self.texts:
            raise HostTrouble("; ".join(dict.fromkeys(self.texts)))


def clear_disk(node: Node) -> bool:
    """Frees a disk that was filled, brings back a folder that was taken away, and stops the node, whose log folder
    stays offline until it is restarted. Returns whether there was something to do."""
    disk = node.small_disk
    if disk is None or not (disk.is_filled or disk.is_away):
        return False
    disk.make_room()
    disk.bring_back()
    node.stop()
    return True


def mend_disk(node: Node) -> bool:
    """Mends a faulty disk that was told to fail, and stops the node, whose log folder stays offline until it is
    restarted. Returns whether there was something to do."""
    disk = node.faulty_disk
    if disk is None or not disk.is_troubled:
        return False
    disk.mend()
    node.stop()
    return True
