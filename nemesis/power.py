"""Cut the power of nodes.

**Does** ends the chosen nodes at once, as a loss of power does: what their disks had not flushed is lost, or a part of
it is there; peers and clients see nothing but silence. What a disk loses is drawn from the seed: *all* that was not
flushed, *some* pages and changes of folders, or all but a *torn* part of each file's last write
(`harness/hosts/faulty_disk/stored.py`); `power:all` says which. A simulated disk draws for each file. The proof is that
no such process is running, and what was lost.

**Needs** nodes with faulty disks (`@pytest.mark.cluster(has_faulty_disks=True)`: `reference`, `kafka@VERSION`, with
root, /dev/fuse and pyfuse3), or machines whose power a call can cut: `simulated`.

**Heals** by starting the nodes on what their disks have, and waiting until they answer.
"""

from __future__ import annotations

from random import Random

import msgspec

from harness.history.operations import FaultAct
from harness.hosts.at_once import at_once
from harness.hosts.faulty_disk.stored import Loss
from harness.hosts.host import HostTrouble
from harness.hosts.lack import Lack, Means
from harness.targets.cluster_view import ClusterView
from harness.targets.target import Cluster, Node
from nemesis.node_fault import NodeFault, start_affected
from nemesis.node_specs import NodeSpec, nodes_text, one


class Power(NodeFault):
    """A loss of power (Fault)."""

    kind = "power"

    def __init__(self, on: NodeSpec = one, loss: Loss | None = None) -> None:
        """`loss` is what the disks lose; drawn for each node when it is None."""
        super().__init__(on)
        self.loss = loss
        self._chance = Random(0)
        self.lost: dict[str, int] = {"bytes": 0, "files": 0, "changes": 0}
        """What faulty disks have lost so far."""

    @property
    def name(self) -> str:
        """With the kind of loss, where that is not drawn."""
        name = super().name
        return name if self.loss is None else name.replace(self.kind, f"{self.kind}:{self.loss}", 1)

    def lack(self, cluster: Cluster) -> Lack | None:
        """What is missing on this cluster for this fault."""
        if (found := super().lack(cluster)) is not None:
            return found
        if self.loss is not None and any(node.machine is not None for node in cluster.nodes):
            return Lack(Means.FAULTS, f"{self.name}: what a simulated disk loses is drawn for each file")
        return None

    def plan(self, view: ClusterView, random: Random) -> FaultAct:
        """As for any fault of nodes; what is lost is drawn too."""
        act = super().plan(view, random)
        self._chance = Random(random.getrandbits(64))
        if self.loss is None:
            return act
        return msgspec.structs.replace(act, parameters={**act.parameters, "loss": self.loss.value})

    def inject(self, cluster: Cluster, act: FaultAct) -> str:
        """Cuts the power of the nodes and checks that their processes are gone."""
        nodes = self.remember(cluster, act)
        for node in nodes:
            if node.machine is None and node.faulty_disk is None:
                raise HostTrouble(f"the power of node {node.id} cannot be cut from here")
            if not node.is_alive():
                raise HostTrouble(f"cannot cut the power of node {node.id}: not running")
        at_once(_end, nodes)
        if alive := [node.id for node in nodes if node.is_alive()]:
            raise HostTrouble(f"{nodes_text(alive)} is still running without power")
        told = [self._lose(node) for node in nodes if node.faulty_disk is not None]
        lost = "; ".join(told) or "what was not flushed is lost"
        return f"no process of {nodes_text(act.nodes)} is running; {lost}"

    def _lose(self, node: Node) -> str:
        assert node.faulty_disk is not None, "it was looked for"
        loss = self.loss or self._chance.choice(tuple(Loss))
        lost = node.faulty_disk.lose_power(loss, self._chance)
        for what, count in lost.items():
            self.lost[what] += count
        return (
            f"the disk of node {node.id} lost, of what was not flushed ({loss}), {lost['bytes']:,} bytes of "
            f"{lost['files']} files and {lost['changes']} changes of folders"
        )

    def heal(self, cluster: Cluster) -> str:
        """Starts the nodes."""
        return f"started {nodes_text(start_affected(self, cluster))}"


def _end(node: Node) -> None:
    """Ends a node's process; of one on a machine, with its power."""
    if node.machine is not None:
        node.machine.cut_power()
    else:
        node.kill()
