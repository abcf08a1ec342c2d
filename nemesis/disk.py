"""Fill a disk.

**Does** writes to the small disk of one node chosen at random until it has no room left: the node's log folder there
takes nothing more, while its other folders go on (as when a log folder's disk is full, or a quota is reached).

**Needs** a node with a small disk (`@pytest.mark.cluster(small_disk_mb=…)`), and root, to mount it: `reference`,
`kafka@VERSION`.

**Heals** by making room and starting the node again, since a folder that has failed is not used before a restart;
waits until it answers, and looks that there is room.
"""

from __future__ import annotations

from random import Random

from harness.hosts.host import HostTrouble
from harness.targets.target import Cluster
from nemesis.fault import clear_disks, nodes_text, require_healthy


class FullDisk:
    """No space left on device (Fault)."""

    name = "disk"

    def inject(self, cluster: Cluster, random: Random) -> str:
        """Fills one node's small disk, and says how much room there was."""
        disks = [(node.id, node.small_disk) for node in cluster.nodes if node.small_disk is not None]
        if not disks:
            raise HostTrouble(f"the cluster at {cluster.bootstrap} has no small disk that could be filled")
        node_id, disk = random.choice(disks)
        return f"fill the small disk of node {node_id} with {disk.fill():,} bytes"

    def heal(self, cluster: Cluster) -> str:
        """Makes room, and restarts the nodes that had none."""
        restarted = clear_disks(cluster)
        self.verify_healed(cluster)
        return f"made room, restarted {nodes_text(restarted)}"

    def verify_healed(self, cluster: Cluster) -> None:
        """HostTrouble unless every disk has room, and every node runs and answers."""
        for node in cluster.nodes:
            if node.small_disk is not None and node.small_disk.is_filled:
                raise HostTrouble(f"the small disk of node {node.id} is still full after the heal")
        require_healthy(cluster)
