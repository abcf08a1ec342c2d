"""Replace nodes by empty ones, as after the loss of a machine.

**Does** stops the chosen nodes and empties their log folders: what stays is what formatting a new disk writes, the
cluster id, the node id, and a new directory id. The proof is that nothing else is in the folders.

**Needs** control of the nodes' processes, and access to their log folders: `kafka@VERSION`, `reference`, `simulated`;
and a quorum with fixed voters, because dynamic voters (nemesis/voters.py) are identified by their directory ids.

**Heals** by starting the empty nodes; then the cluster must be healthy, every replica copied again and in sync.
"""

from __future__ import annotations

import base64
import shutil
import uuid
from pathlib import Path

from harness.history.operations import FaultAct
from harness.hosts.host import HostTrouble
from harness.hosts.lack import Lack, Means
from harness.targets.target import Cluster, Node
from nemesis.node_fault import NodeFault, start_affected
from nemesis.node_specs import nodes_text
from nemesis.quorum import wait_for_quorum

META = "meta.properties"
_DIRECTORY = "directory.id="
_FORMATTED = (META, "bootstrap.checkpoint")
"""What formatting leaves in a folder (kafka-storage)."""


class Membership(NodeFault):
    """Replaces a node by an empty one (Fault)."""

    kind = "membership"

    def lack(self, cluster: Cluster) -> Lack | None:
        """What is missing on this cluster for this fault."""
        if (found := super().lack(cluster)) is not None:
            return found
        if len(cluster.nodes) < 2:
            return Lack(Means.NODES, f"{self.name} needs 2 nodes: with a single one all data would be lost")
        away = [node.id for node in cluster.nodes if node.data_dir is None and node.machine is None]
        if away:
            return Lack(Means.FAULTS, f"{self.name} needs the log folders of {nodes_text(away)}")
        if not wait_for_quorum(cluster.bootstrap).is_fixed:
            return Lack(
                Means.SOFTWARE,
                f"{self.name} needs fixed voters (controller.quorum.voters); this quorum knows them by directory id",
            )
        return None

    def inject(self, cluster: Cluster, act: FaultAct) -> str:
        """Stops the nodes and empties their folders."""
        nodes = self.remember(cluster, act)
        if not all(node.is_alive() for node in nodes):
            raise HostTrouble(f"cannot replace {nodes_text(act.nodes)}: not running")
        gone = 0
        for node in nodes:
            if node.machine is not None:
                node.stop()
                gone += node.machine.replace_disk()
                continue
            folder = _folder_of(node)
            node.stop()
            gone += empty(folder)
            if left := [path.name for path in folder.iterdir() if path.name not in _FORMATTED]:
                raise HostTrouble(f"node {node.id}: {', '.join(sorted(left))} could not be removed from its log folder")
        return f"removed {gone} files and folders of {nodes_text(act.nodes)}; its directory id is new"

    def heal(self, cluster: Cluster) -> str:
        """Starts the empty nodes."""
        return f"started {nodes_text(start_affected(self, cluster))}, empty"

    def verify_healed(self, cluster: Cluster) -> None:
        """HostTrouble unless every node answers and every replica is in sync again."""
        super().verify_healed(cluster)
        cluster.wait_healthy()


def empty(folder: Path) -> int:
    """Empties a log folder down to what formatting writes, with a new directory id. Returns how many entries went."""
    gone = 0
    for path in sorted(folder.iterdir()):
        if path.name not in _FORMATTED:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            gone += 1
    meta = folder / META
    lines = meta.read_text(encoding="utf-8").splitlines()
    renewed = [_DIRECTORY + new_directory_id() if line.startswith(_DIRECTORY) else line for line in lines]
    meta.write_text("\n".join(renewed) + "\n", encoding="utf-8")
    return gone


def new_directory_id() -> str:
    """A random id as Kafka writes them: base64 of 16 bytes, without a dash in front."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


def _folder_of(node: Node) -> Path:
    if node.data_dir is None:
        raise HostTrouble(f"the log folder of node {node.id} cannot be reached from here")
    return node.data_dir
