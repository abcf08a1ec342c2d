"""Pause a node.

**Does** SIGSTOP to one node chosen at random, verified by the process's state: it keeps its connections and its memory,
answers nothing, and does not notice the time that passes (as in a long collection of garbage, or a frozen machine).

**Needs** a handle on the node's process: `reference`, `kafka@VERSION`, `docker@IMAGE`.

**Heals** by SIGCONT to every paused node, verified by its state and by an answer.
"""

from __future__ import annotations

from random import Random

from harness.targets.target import Cluster
from nemesis.fault import choose_node, nodes_text, require_healthy, resume_paused


class Pause:
    """SIGSTOP and SIGCONT (Fault)."""

    name = "pause"

    def inject(self, cluster: Cluster, random: Random) -> str:
        """Pauses one node, and says which."""
        node = choose_node(cluster, random)
        node.pause()
        return f"pause node {node.id}"

    def heal(self, cluster: Cluster) -> str:
        """Continues the paused and waits until they answer."""
        resumed = resume_paused(cluster)
        self.verify_healed(cluster)
        return f"resumed {nodes_text(resumed)}"

    def verify_healed(self, cluster: Cluster) -> None:
        """HostTrouble unless every node runs and answers."""
        require_healthy(cluster)
