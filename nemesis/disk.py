"""Fill disks.

**Does** writes to the small disks of the chosen nodes until they have no room left: the nodes' log folders there take
nothing more, while their other folders go on (as when a log folder's disk is full, or a quota is reached). The proof is
that the file system has no block left.

**Needs** nodes with a small disk (`@pytest.mark.cluster(small_disk_mb=…)`), and root, to mount it: `reference`,
`kafka@VERSION`.

**Heals** by making room and starting the nodes again, since a folder that has failed is not used before a restart;
waits until they answer, and looks that there is room.
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
        """Fills the nodes' small disks, and says how much room there was."""
        filled = []
        for node in self.strike(cluster, act):
            if node.small_disk is None:
                raise HostTrouble(f"node {node.id} has no small disk that could be filled")
            filled.append(f"{node.small_disk.fill():,} bytes for node {node.id}")
        return f"the small disk has no block left after {' and '.join(filled)}"

    def heal(self, cluster: Cluster) -> str:
        """Makes room, and restarts the nodes that had none; each is tried."""
        restarted: list[int] = []
        troubles = Troubles()
        for node in self.struck(cluster):
            with troubles.collected():
                if clear_disk(node):
                    node.start()
                    restarted.append(node.id)
        troubles.raise_any()
        return f"made room for {nodes_text(restarted)} and started it again"

    def verify_healed(self, cluster: Cluster) -> None:
        """HostTrouble unless every disk has room, and every node that was struck runs and answers."""
        for node in self.struck(cluster):
            if node.small_disk is not None and node.small_disk.is_filled:
                raise HostTrouble(f"the small disk of node {node.id} is still full after the heal")
        super().verify_healed(cluster)
