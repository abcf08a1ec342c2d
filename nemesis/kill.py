"""Kill nodes.

**Does** SIGKILL to the chosen nodes: their processes end at once, without flushing, deregistering or answering; what
they wrote stays in the page cache, so this is a crash of the process and not a loss of power. The proof is that no such
process is running.

**Needs** control of the nodes' processes: every target but `at:`.

**Heals** by starting the nodes that it killed, on their old data and ports, and waiting until they answer.
"""

from __future__ import annotations

from harness.history.operations import FaultAct
from harness.hosts.at_once import at_once
from harness.hosts.host import HostTrouble
from harness.targets.target import Cluster
from nemesis.node_fault import NodeFault, start_affected
from nemesis.node_specs import nodes_text


class Kill(NodeFault):
    """kill -9 and start again (Fault)."""

    kind = "kill"

    def inject(self, cluster: Cluster, act: FaultAct) -> str:
        """Kills the nodes and checks that their processes are gone."""
        nodes = self.remember(cluster, act)
        if dead := [node.id for node in nodes if not node.is_alive()]:
            raise HostTrouble(f"cannot kill {nodes_text(dead)}: not running")
        at_once(lambda node: node.kill(), nodes)
        if alive := [node.id for node in nodes if node.is_alive()]:
            raise HostTrouble(f"{nodes_text(alive)} is still running after SIGKILL")
        return f"no process of {nodes_text(act.nodes)} is running"

    def heal(self, cluster: Cluster) -> str:
        """Starts the nodes that it killed."""
        return f"started {nodes_text(start_affected(self, cluster))}"
