"""Disks that fill up, and log folders that go away.

**Does** *full*: writes to the small disks of the chosen nodes until they are full: nothing more can be written to the
log folders there, while the nodes' other log folders still work (as when one disk of several is full, or a quota is
reached). The proof is that the file system has no free block left. *gone*: takes the log folders there away, as when a
disk is unmounted: what is open stays so, and nothing can be opened any more. The proof is that there is no such folder.

**Needs** nodes with a small disk (`@pytest.mark.cluster(small_disk_mb=…)`), and root, to mount it: `reference`,
`kafka@VERSION`.

**Heals** by freeing the disk or bringing the folder back and restarting the nodes, because a failed log folder is not
used before a restart; waits until they answer, and checks that there is free space, and the folder.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from random import Random

import msgspec

from harness.history.operations import FaultAct
from harness.hosts.host import HostTrouble
from harness.hosts.small_disk import SmallDisk
from harness.targets.cluster_view import ClusterView
from harness.targets.target import Cluster
from nemesis.fault import Troubles, clear_disk
from nemesis.node_fault import NodeFault
from nemesis.node_specs import nodes_text


class DiskFault(NodeFault, ABC):
    """A small disk of a node's own does not work any more (Fault)."""

    kind = "disk"

    @abstractmethod
    def spoil(self, disk: SmallDisk) -> str:
        """Does it to one disk, and returns the proof, without the node."""
        ...

    def inject(self, cluster: Cluster, act: FaultAct) -> str:
        """Does it to the nodes' small disks, and returns the proofs."""
        proofs = []
        for node in self.remember(cluster, act):
            if node.small_disk is None:
                raise HostTrouble(f"node {node.id} has no small disk of its own")
            proofs.append(f"node {node.id}: {self.spoil(node.small_disk)}")
        return "; ".join(proofs)

    def heal(self, cluster: Cluster) -> str:
        """Mends the disks, and restarts the nodes whose disk it was; each is tried."""
        restarted: list[int] = []
        troubles = Troubles()
        for node in self.affected(cluster):
            with troubles.collected():
                if clear_disk(node):
                    node.start()
                    restarted.append(node.id)
        troubles.raise_any()
        return f"mended the disk of {nodes_text(restarted)} and started it again"

    def verify_healed(self, cluster: Cluster) -> None:
        """HostTrouble unless every disk has free space and its folder, and every node of the fault runs and answers."""
        for node in self.affected(cluster):
            disk = node.small_disk
            if disk is not None and (disk.is_filled or disk.is_away):
                state = "full" if disk.is_filled else "without its folder"
                raise HostTrouble(f"the small disk of node {node.id} is still {state} after the heal")
        super().verify_healed(cluster)


class FullDisk(DiskFault):
    """No space left on device."""

    def spoil(self, disk: SmallDisk) -> str:
        """Fills it."""
        return f"the small disk has no free block left: wrote {disk.fill():,} bytes"


class LostFolder(DiskFault):
    """The log folder on the disk is not there any more."""

    @property
    def name(self) -> str:
        """With its own word, which tells it from a full disk."""
        return super().name.replace(self.kind, f"{self.kind}:gone", 1)

    def plan(self, view: ClusterView, random: Random) -> FaultAct:
        """As for any fault of nodes."""
        act = super().plan(view, random)
        return msgspec.structs.replace(act, parameters={**act.parameters, "folder": "gone"})

    def spoil(self, disk: SmallDisk) -> str:
        """Takes the folder away."""
        disk.take_away()
        if disk.data_dir.is_dir():
            raise HostTrouble(f"{disk.data_dir} is still a folder after it was taken away")
        return f"{disk.data_dir.name} on the small disk is no folder any more"
