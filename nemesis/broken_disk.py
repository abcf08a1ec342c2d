"""Break the disks of nodes while they run.

**Does** *error*: each write, flush and change of a name on the chosen nodes' disks fails with EIO; what is there can be
read. *unreadable*: each read of a segment fails with EIO as well. *read-only*: each change fails with EROFS, as after a
file system was mounted again for reading because of an error. *full*: what needs room fails with ENOSPC. The proof is
that such a change fails for the harness too.

**Needs** nodes with faulty disks (`@pytest.mark.cluster(has_faulty_disks=True)`): `reference`, `kafka@VERSION`, with
root, /dev/fuse and pyfuse3.

**Heals** by mending the disks and restarting the nodes, since a log folder that has failed is not used before a
restart; waits until they answer.
"""

from __future__ import annotations

import errno
from enum import StrEnum
from random import Random

import msgspec

from harness.history.operations import FaultAct
from harness.hosts.faulty_disk.disk import FaultyDisk
from harness.hosts.host import HostTrouble
from harness.targets.cluster_view import ClusterView
from harness.targets.target import Cluster
from nemesis.fault import Troubles, mend_disk
from nemesis.node_fault import NodeFault, start_affected
from nemesis.node_specs import NodeSpec, nodes_text, one

_CHANGES = ("create", "fsync", "grow", "mkdir", "rename", "rmdir", "truncate", "unlink", "write")
_SEGMENTS = "*.log"
_PROBE = ".probe"


class Trouble(StrEnum):
    """What is wrong with a disk."""

    ERROR = "error"
    UNREADABLE = "unreadable"
    READ_ONLY = "read-only"
    FULL = "full"


SAID = {
    Trouble.ERROR: errno.EIO,
    Trouble.UNREADABLE: errno.EIO,
    Trouble.READ_ONLY: errno.EROFS,
    Trouble.FULL: errno.ENOSPC,
}
"""What a change says then."""


class BrokenDisk(NodeFault):
    """A disk that fails (Fault)."""

    kind = "broken-disk"

    def __init__(self, on: NodeSpec = one, trouble: Trouble = Trouble.ERROR) -> None:
        super().__init__(on)
        self.trouble = trouble

    @property
    def name(self) -> str:
        """With its trouble."""
        return super().name.replace(self.kind, f"{self.kind}:{self.trouble}", 1)

    def plan(self, view: ClusterView, random: Random) -> FaultAct:
        """As for any fault of nodes."""
        act = super().plan(view, random)
        return msgspec.structs.replace(act, parameters={**act.parameters, "trouble": self.trouble.value})

    def inject(self, cluster: Cluster, act: FaultAct) -> str:
        """Breaks the disks, and tries each."""
        told = []
        for node in self.remember(cluster, act):
            if node.faulty_disk is None:
                raise HostTrouble(f"the disk of node {node.id} cannot be broken from here")
            self._break(node.faulty_disk)
            told.append(f"a change of the disk of node {node.id} fails: {_refusal(node.faulty_disk, self.trouble)}")
        return "; ".join(told)

    def _break(self, disk: FaultyDisk) -> None:
        if self.trouble is Trouble.READ_ONLY:
            disk.protect()
        elif self.trouble is Trouble.FULL:
            disk.fill()
        else:
            disk.fail(_CHANGES)
            if self.trouble is Trouble.UNREADABLE:
                disk.fail(("read",), _SEGMENTS)

    def heal(self, cluster: Cluster) -> str:
        """Mends the disks and starts their nodes again; each is tried."""
        troubles = Troubles()
        for node in self.affected(cluster):
            with troubles.collected():
                mend_disk(node)
        troubles.raise_any()
        return f"mended the disk of {nodes_text(self._affected)}; started {nodes_text(start_affected(self, cluster))}"


def _refusal(disk: FaultyDisk, trouble: Trouble) -> str:
    """What a change says. HostTrouble when it is done, or says something else."""
    probe = disk.path / _PROBE
    try:
        probe.touch()
    except OSError as refused:
        if refused.errno != SAID[trouble]:
            raise HostTrouble(f"{disk.path} does not have the trouble that was made: {refused}") from refused
        return str(refused.strerror)
    probe.unlink(missing_ok=True)
    raise HostTrouble(f"{disk.path} can still be changed")
