"""Slow the disks of nodes.

**Does** has each flush of the chosen nodes' disks take 20 to 300 ms. The proof is what the disk says of itself; of a
faulty disk, how long a flush there has taken.

**Needs** nodes with faulty disks (`@pytest.mark.cluster(has_faulty_disks=True)`: `reference`, `kafka@VERSION`, with
root, /dev/fuse and pyfuse3), or disks that a call can slow: `simulated`.

**Heals** by giving the disks their speed back.
"""

from __future__ import annotations

import os
import time
from typing import Final

from harness.history.operations import FaultAct
from harness.hosts.faulty_disk.disk import FaultyDisk
from harness.hosts.host import HostTrouble
from harness.targets.target import Cluster
from nemesis.node_fault import NodeFault
from nemesis.node_specs import nodes_text

FLUSH_S: Final = (0.02, 0.3)
"""How long a flush takes, at least and at most."""


class SlowDisk(NodeFault):
    """Flushes that take their time (Fault)."""

    kind = "slow-disk"

    def inject(self, cluster: Cluster, act: FaultAct) -> str:
        """Slows the disks and asks them."""
        told = []
        for node in self.remember(cluster, act):
            if node.machine is not None:
                node.machine.slow_disk(FLUSH_S)
                least_s, most_s = node.machine.flush_s
                told.append(f"a flush of node {node.id} takes {least_s * 1000:.0f} to {most_s * 1000:.0f} ms")
            elif node.faulty_disk is not None:
                node.faulty_disk.slow(*FLUSH_S)
                took_s = flush_s(node.faulty_disk)
                if took_s < FLUSH_S[0]:
                    raise HostTrouble(f"a flush of the disk of node {node.id} took {took_s * 1000:.1f} ms")
                told.append(f"a flush of node {node.id} took {took_s * 1000:.0f} ms")
            else:
                raise HostTrouble(f"the disk of node {node.id} cannot be slowed from here")
        return "; ".join(told)

    def heal(self, cluster: Cluster) -> str:
        """Gives the disks their speed back."""
        nodes = self.affected(cluster)
        for node in nodes:
            if node.machine is not None:
                node.machine.slow_disk(None)
            elif node.faulty_disk is not None:
                node.faulty_disk.mend()
        return f"the disk of {nodes_text(tuple(node.id for node in nodes))} is as it was"


def flush_s(disk: FaultyDisk) -> float:
    """How long a flush of its root takes now, in s."""
    descriptor = os.open(disk.path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        began = time.monotonic()
        os.fsync(descriptor)
        return time.monotonic() - began
    finally:
        os.close(descriptor)
