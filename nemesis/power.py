"""Cut the power of nodes.

**Does** ends the chosen nodes at once, as a loss of power does: what their disks had not flushed is lost, or a part of
it is there, torn at any byte, with bytes behind it that nobody wrote; peers and clients see nothing but silence. The
proof is that no such process is running.

**Needs** machines whose power a call can cut: `simulated`.

**Heals** by starting the nodes on what their disks have, and waiting until they answer.
"""

from __future__ import annotations

from harness.history.operations import FaultAct
from harness.hosts.host import HostTrouble
from harness.targets.target import Cluster
from nemesis.node_fault import NodeFault, start_affected
from nemesis.node_specs import nodes_text


class Power(NodeFault):
    """A loss of power (Fault)."""

    kind = "power"

    def inject(self, cluster: Cluster, act: FaultAct) -> str:
        """Cuts the power of the nodes and checks that their processes are gone."""
        nodes = self.remember(cluster, act)
        for node in nodes:
            if node.machine is None:
                raise HostTrouble(f"the power of node {node.id} cannot be cut from here")
            if not node.is_alive():
                raise HostTrouble(f"cannot cut the power of node {node.id}: not running")
        for node in nodes:
            if node.machine is not None:
                node.machine.cut_power()
        if alive := [node.id for node in nodes if node.is_alive()]:
            raise HostTrouble(f"{nodes_text(alive)} is still running without power")
        return f"no process of {nodes_text(act.nodes)} is running; what was not flushed is lost"

    def heal(self, cluster: Cluster) -> str:
        """Starts the nodes."""
        return f"started {nodes_text(start_affected(self, cluster))}"
