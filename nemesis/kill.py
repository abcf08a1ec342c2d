"""Kill a node.

**Does** SIGKILL to one node chosen at random: the process ends at once, without flushing, deregistering or answering;
what it wrote stays in the page cache, so this is a crash of the process and not a loss of power.

**Needs** a handle on the node's process: `reference`, `kafka@VERSION`, `docker@IMAGE`.

**Heals** by starting every node that does not run, on its old data and port, and waiting until it answers.
"""

from __future__ import annotations

from random import Random

from harness.targets.target import Cluster
from nemesis.fault import choose_node, nodes_text, require_healthy, start_dead


class Kill:
    """kill -9 and start again (Fault)."""

    name = "kill"

    def inject(self, cluster: Cluster, random: Random) -> str:
        """Kills one node, and says which."""
        node = choose_node(cluster, random)
        node.kill()
        return f"kill -9 node {node.id}"

    def heal(self, cluster: Cluster) -> str:
        """Starts the dead and waits until they answer."""
        started = start_dead(cluster)
        self.verify_healed(cluster)
        return f"started {nodes_text(started)}"

    def verify_healed(self, cluster: Cluster) -> None:
        """HostTrouble unless every node runs and answers."""
        require_healthy(cluster)
