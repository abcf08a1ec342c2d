"""Fill disks.

**Does** writes to the small disks of the chosen nodes until they are full: nothing more can be written to the log
folders there, while the nodes' other log folders still work (as when one disk of several is full, or a quota is
reached). The proof is that the file system has no free block left.

**Needs** nodes with a small disk (`@pytest.mark.cluster(small_disk_mb=…)`), and root, to mount it: `reference`,
`kafka@VERSION`.

**Heals** by freeing the disk and restarting the nodes, because a failed log folder is not used before a restart; waits
until they answer, and checks that there is free space.
"""

from __future__ import annotations

from harness.history.operations import FaultAct
from harness.hosts.host import HostTrouble
from harness.targets.target import Cluster
from nemesis.fault import Troubles, clear_disk
from nemesis.node_fault import NodeFault
from nemesis.node_specs import nodes_text


class FullDisk(NodeFault):
    """No space left on device (Fault)."""

    kind = "disk"

    def inject(self, cluster: Cluster, act: FaultAct) -> str:
        """Fills the nodes' small disks, and returns how much was written."""
        filled = []
        for node in self.strike(cluster, act):
            if node.small_disk is None:
                raise HostTrouble(f"node {node.id} has no small disk to fill")
            filled.append(f"{node.small_disk.fill():,} bytes for node {node.id}")
        return f"the small disk has no free block left: wrote {' and '.join(filled)}"

    def heal(self, cluster: Cluster) -> str:
        """Frees the disks, and restarts the nodes whose disk was full; each is tried."""
        restarted: list[int] = []
        troubles = Troubles()
        for node in self.struck(cluster):
            with troubles.collected():
                if clear_disk(node):
                    node.start()
                    restarted.append(node.id)
        troubles.raise_any()
        return f"freed the disk of {nodes_text(restarted)} and started it again"

    def verify_healed(self, cluster: Cluster) -> None:
        """HostTrouble unless every disk has free space, and every node of the fault runs and answers."""
        for node in self.struck(cluster):
            if node.small_disk is not None and node.small_disk.is_filled:
                raise HostTrouble(f"the small disk of node {node.id} is still full after the heal")
        super().verify_healed(cluster)
