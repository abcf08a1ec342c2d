"""No node halts, and none fails to answer for a fault of its own."""

from __future__ import annotations

from reference_broker.simulation.simulated_node import SimulatedNode
from reference_broker.simulation.world import World


class Processes:
    """A node halts where going on could break a promise; with a disk that works there is no reason to."""

    def __init__(self, world: World) -> None:
        self._world = world

    def on_started(self, node: SimulatedNode) -> None:
        """Nothing to see yet."""

    def on_event(self, node: SimulatedNode) -> None:
        """Nothing to see while it lives."""

    def on_ended(self, node: SimulatedNode) -> None:
        """It was killed, or it stopped."""

    def on_halted(self, node: SimulatedNode, reason: str) -> None:
        """A halt on a disk that works is a fault of ours."""
        if not node.disk.has_failed:
            self._world.broken(f"node {node.node_id} halts: {reason}")

    def on_log(self, node: SimulatedNode, level: str, text: str) -> None:
        """What a node logs as an error of its own."""
        if level == "ERROR" and not node.disk.has_failed:
            self._world.broken(f"node {node.node_id} logs an error: {text}")
