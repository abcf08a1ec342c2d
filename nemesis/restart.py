"""Stop nodes cleanly, and start them again.

**Does** SIGTERM to the chosen nodes, and waits for their end: they stop as in an upgrade, with their data flushed and
the clean shutdown marked. The proof is that no such process runs any more.

**Needs** control of the nodes' processes: every target but `at:`.

**Heals** by starting the nodes that it stopped, on their old data and ports, and waiting until they answer.
"""

from __future__ import annotations

from harness.history.operations import FaultAct
from harness.hosts.at_once import at_once
from harness.hosts.host import HostTrouble
from harness.targets.target import Cluster
from nemesis.node_fault import NodeFault, start_affected
from nemesis.node_specs import nodes_text


class Restart(NodeFault):
    """A clean stop and a start (Fault)."""

    kind = "restart"

    def inject(self, cluster: Cluster, act: FaultAct) -> str:
        """Stops the nodes cleanly and checks that their processes are gone."""
        nodes = self.remember(cluster, act)
        if dead := [node.id for node in nodes if not node.is_alive()]:
            raise HostTrouble(f"cannot stop {nodes_text(dead)}: not running")
        for node in nodes:  # in virtual time one is waited for after another
            if node.machine is not None:
                node.machine.ask_to_stop()
        at_once(lambda node: node.stop(), nodes)
        if alive := [node.id for node in nodes if node.is_alive()]:
            raise HostTrouble(f"{nodes_text(alive)} is still running after SIGTERM")
        return f"no process of {nodes_text(act.nodes)} is running"

    def heal(self, cluster: Cluster) -> str:
        """Starts the nodes that it stopped."""
        return f"started {nodes_text(start_affected(self, cluster))}"
