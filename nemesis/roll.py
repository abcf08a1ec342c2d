"""Restart all nodes in turn, as in an upgrade.

**Does** stops one node cleanly, starts it, waits until the cluster is healthy (every broker unfenced, every ISR full),
and continues with the next, until all nodes were restarted. The proof is that each process ended and that the cluster
was healthy again before the next one.

**Needs** control of the nodes' processes: every target but `at:`.

**Heals** by itself; after an interrupted roll, the heal starts the node that is not running.
"""

from __future__ import annotations

from enum import StrEnum
from random import Random

from harness.history.operations import FaultAct
from harness.hosts import cluster_time as time
from harness.hosts.host import HostTrouble
from harness.targets.cluster_view import ClusterView
from harness.targets.target import Cluster, Node
from nemesis.node_fault import NodeFault, start_affected
from nemesis.node_specs import every, nodes_text


class Order(StrEnum):
    """Which node is restarted next."""

    CHANCE = "by chance"
    CONTROLLER_LAST = "controller last"
    CONTROLLER_NEXT = "controller next"

    @property
    def does(self) -> str:
        """What it is, for lists."""
        return _DOES[self]


_DOES = {
    Order.CHANCE: "a random order, from the seed",
    Order.CONTROLLER_LAST: "the active controller last, as Kafka's documentation advises: it moves once",
    Order.CONTROLLER_NEXT: "the active controller next, unless it was restarted already: it moves as often as possible",
}


class Roll(NodeFault):
    """A rolling restart (Fault)."""

    kind = "roll"

    def __init__(self, order: Order = Order.CHANCE) -> None:
        super().__init__(every)
        self.order = order

    @property
    def name(self) -> str:
        """ "roll", "roll, controller next"."""
        return self.kind if self.order is Order.CHANCE else f"{self.kind}, {self.order}"

    def plan(self, view: ClusterView, random: Random) -> FaultAct:
        """All nodes, in the order in which they will be restarted."""
        nodes = list(self.on(view, random))
        random.shuffle(nodes)
        if self.order is not Order.CHANCE and view.active_controller in nodes:
            nodes.remove(view.active_controller)
            nodes.insert(0 if self.order is Order.CONTROLLER_NEXT else len(nodes), view.active_controller)
        return FaultAct(kind=self.kind, nodes=tuple(nodes), parameters={"order": str(self.order)})

    def inject(self, cluster: Cluster, act: FaultAct) -> str:
        """Restarts each node and waits until the cluster is healthy."""
        left, rolled = list(self.remember(cluster, act)), []
        moved = 0
        started_s = time.monotonic()
        while left:
            node = left[0]
            if act.parameters["order"] == Order.CONTROLLER_NEXT:
                active = cluster.view(topics=()).active_controller
                node = next((one for one in left if one.id == active), node)
                moved += node.id == active
            left.remove(node)
            _restart(node)
            cluster.wait_healthy()
            rolled.append(node.id)
        took_s = time.monotonic() - started_s
        if act.parameters["order"] == Order.CONTROLLER_NEXT and not moved:
            raise HostTrouble(f"none of {nodes_text(rolled)} was the active controller when it was restarted")
        turns = f"; {moved} of them as the active controller" if moved else ""
        return f"restarted {nodes_text(rolled)} in turn within {took_s:.1f} s, the cluster healthy after each{turns}"

    def heal(self, cluster: Cluster) -> str:
        """Starts the nodes that an interrupted roll has left stopped."""
        return f"started {nodes_text(start_affected(self, cluster))}"

    def verify_healed(self, cluster: Cluster) -> None:
        """HostTrouble unless every node runs and answers, and the cluster is healthy."""
        super().verify_healed(cluster)
        cluster.wait_healthy()


def _restart(node: Node) -> None:
    if not node.is_alive():
        raise HostTrouble(f"cannot restart node {node.id}: not running")
    node.stop()
    if node.is_alive():
        raise HostTrouble(f"node {node.id} is still running after SIGTERM")
    node.start()
    node.wait_ready()
