"""Where the controllers of a cluster listen, and which of them is active."""

from __future__ import annotations

from harness.hosts import cluster_time as time
from harness.targets.node_plan import CONTROLLER
from harness.targets.target import Cluster, TargetTrouble

_LED_WITHIN_S = 20.0
_EVERY_S = 0.1


def controllers_of(cluster: Cluster) -> dict[int, tuple[str, int]]:
    """Node → (host, port) of its controller listener, for each node with the controller role."""
    return {
        node.id: (node.internal_address or node.address[0], node.ports[CONTROLLER])
        for node in cluster.nodes
        if CONTROLLER in node.ports
    }


def active_controller(cluster: Cluster) -> int:
    """The id of the active controller; waits until there is one. TargetTrouble when there is none after 20 s."""
    deadline = time.monotonic() + _LED_WITHIN_S
    while (found := cluster.view(topics=()).active_controller) is None:
        if time.monotonic() > deadline:
            raise TargetTrouble(f"no controller is active after {_LED_WITHIN_S:g} s")
        time.sleep(_EVERY_S)
    return found
