"""Restart all nodes in turn, as in an upgrade.

**Does** stops one node cleanly, starts it, waits until the cluster is healthy (every broker unfenced, every ISR full),
and goes on with the next, until each had its turn. The proof is that each process ended and that the cluster was
healthy again before the next.

**Needs** control of the nodes' processes: every target but `at:`.

**Heals** by itself; a roll that was broken off is healed by starting the node that does not run.
"""

from __future__ import annotations

import time
from enum import StrEnum
from random import Random

from harness.history.operations import FaultAct
from harness.hosts.host import HostTrouble
from harness.targets.cluster_view import ClusterView
from harness.targets.target import Cluster, Node
from nemesis.node_fault import NodeFault, start_struck
from nemesis.node_specs import every, nodes_text


class Order(StrEnum):
    """Who comes next."""

    CHANCE = "by chance"
    CONTROLLER_LAST = "controller last"
    CONTROLLER_NEXT = "controller next"

    @property
    def does(self) -> str:
        """What it is, for lists."""
        return _DOES[self]


_DOES = {
    Order.CHANCE: "an order drawn from the seed",
    Order.CONTROLLER_LAST: "the active controller last, as Kafka's documentation has it: it moves once",
    Order.CONTROLLER_NEXT: "always the active controller, if it had no turn yet: it moves as often as can be",
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
        left, rolled = list(self.strike(cluster, act)), []
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
            raise HostTrouble(f"none of {nodes_text(rolled)} was the active controller at its turn")
        turns = f"; {moved} of them as the active controller" if moved else ""
        return f"restarted {nodes_text(rolled)} in turn within {took_s:.1f} s, the cluster healthy after each{turns}"

    def heal(self, cluster: Cluster) -> str:
        """Starts what a broken roll has left stopped."""
        return f"started {nodes_text(start_struck(self, cluster))}"

    def verify_healed(self, cluster: Cluster) -> None:
        """HostTrouble unless every node runs and answers, and the cluster is healthy."""
        super().verify_healed(cluster)
        cluster.wait_healthy()


def _restart(node: Node) -> None:
    if not node.is_alive():
        raise HostTrouble(f"node {node.id} cannot be restarted: not running")
    node.stop()
    if node.is_alive():
        raise HostTrouble(f"node {node.id} still runs after SIGTERM")
    node.start()
    node.wait_ready()
