"""Pause nodes.

**Does** SIGSTOP to the chosen nodes: they keep their connections and their memory, answer nothing, and do not notice
the time that passes (as in a long collection of garbage, or a frozen machine). The proof is the state T of their
processes.

**Needs** control of the nodes' processes: every target but `at:`.

**Heals** by SIGCONT to the nodes that it paused, proved by their state and by an answer.
"""

from __future__ import annotations

from harness.history.operations import FaultAct
from harness.hosts.at_once import at_once
from harness.hosts.host import HostTrouble
from harness.targets.target import Cluster
from nemesis.fault import Troubles
from nemesis.node_fault import NodeFault
from nemesis.node_specs import nodes_text


class Pause(NodeFault):
    """SIGSTOP and SIGCONT (Fault)."""

    kind = "pause"

    def inject(self, cluster: Cluster, act: FaultAct) -> str:
        """Pauses the nodes and checks the state of their processes."""
        nodes = self.remember(cluster, act)
        at_once(lambda node: node.pause(), nodes)
        if going := [node.id for node in nodes if not node.is_paused()]:
            raise HostTrouble(f"{nodes_text(going)} is not in state T after SIGSTOP")
        return f"the process of {nodes_text(act.nodes)} is in state T (stopped)"

    def heal(self, cluster: Cluster) -> str:
        """Continues the nodes that it paused and that still run; each is tried."""
        resumed: list[int] = []
        troubles = Troubles()
        for node in self.affected(cluster):
            with troubles.collected():
                if node.is_alive() and node.is_paused():
                    node.resume()
                    resumed.append(node.id)
        troubles.raise_any()
        return f"resumed {nodes_text(resumed)}"
