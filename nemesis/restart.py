"""Stop a node cleanly, and start it again.

**Does** SIGTERM to one node chosen at random, waited for: the node ends as in an upgrade, its data flushed, its clean
shutdown noted.

**Needs** a handle on the node's process: `reference`, `kafka@VERSION`, `docker@IMAGE`.

**Heals** by starting every node that does not run, on its old data and port, and waiting until it answers.
"""

from __future__ import annotations

from random import Random

from harness.targets.target import Cluster
from nemesis.fault import choose_node, nodes_text, require_healthy, start_dead


class Restart:
    """A clean stop and a start (Fault)."""

    name = "restart"

    def inject(self, cluster: Cluster, random: Random) -> str:
        """Stops one node cleanly, and says which."""
        node = choose_node(cluster, random)
        node.stop()
        return f"stop node {node.id}"

    def heal(self, cluster: Cluster) -> str:
        """Starts the stopped and waits until they answer."""
        started = start_dead(cluster)
        self.verify_healed(cluster)
        return f"started {nodes_text(started)}"

    def verify_healed(self, cluster: Cluster) -> None:
        """HostTrouble unless every node runs and answers."""
        require_healthy(cluster)
