"""Damage a file of nodes while they are down.

**Does** ends the chosen nodes, damages one file in each one's log folder, and leaves them off. Which file: a `segment`,
an `index` or `timeindex` of it, a `snapshot` of producers, the `epochs` checkpoint of a partition, or a checkpoint of
the folder: `recovery-point`, `high-watermark`, `log-start`. How: one bit is flipped (`flip`), or the end is cut off
(`cut`). What is written at a stop in order (snapshots, checkpoints) is damaged after one (SIGTERM); the others after
SIGKILL, so that the next start reads the log again. The metadata log and Kafka's own topics are spared. The proof is
that the file's bytes are not as they were.

**Needs** control of the nodes' processes, and access to their log folders: `kafka@VERSION`, `reference`.

**Heals** by starting the nodes. Where one ends by itself, since it refuses the file, the bytes are put back and it is
started again: `refused` names these.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from harness.history.operations import FaultAct
from harness.hosts import cluster_time as time
from harness.hosts.host import HostTrouble
from harness.hosts.lack import Lack, Means
from harness.targets.cluster_view import ClusterView
from harness.targets.target import Cluster, Node
from nemesis.fault import Troubles, require_well
from nemesis.node_fault import NodeFault
from nemesis.node_specs import NodeSpec, nodes_text, one
from reference_broker.wire.records import CRC_AT, iter_batches

READY_S = 40.0
_ENDS_WITHIN_S = 10.0


class Damaged(StrEnum):
    """Which file."""

    SEGMENT = "segment"
    INDEX = "index"
    TIMEINDEX = "timeindex"
    SNAPSHOT = "snapshot"
    EPOCHS = "epochs"
    RECOVERY_POINT = "recovery-point"
    HIGH_WATERMARK = "high-watermark"
    LOG_START = "log-start"


class How(StrEnum):
    """What is done to it."""

    FLIP = "flip"
    CUT = "cut"


PATTERNS: Final = {
    Damaged.SEGMENT: "*-*/*.log",
    Damaged.INDEX: "*-*/*.index",
    Damaged.TIMEINDEX: "*-*/*.timeindex",
    Damaged.SNAPSHOT: "*-*/*.snapshot",
    Damaged.EPOCHS: "*-*/leader-epoch-checkpoint",
    Damaged.RECOVERY_POINT: "recovery-point-offset-checkpoint",
    Damaged.HIGH_WATERMARK: "replication-offset-checkpoint",
    Damaged.LOG_START: "log-start-offset-checkpoint",
}
CHECKPOINTS: Final = (Damaged.EPOCHS, Damaged.RECOVERY_POINT, Damaged.HIGH_WATERMARK, Damaged.LOG_START)
"""Files of text: a version, the number of entries, and the entries."""
AFTER_A_CRASH: Final = (Damaged.SEGMENT, Damaged.INDEX, Damaged.TIMEINDEX)
"""Files that are damaged after SIGKILL."""


@dataclass(frozen=True, slots=True)
class Original:
    """A file as it was before it was damaged."""

    path: Path
    data: bytes


class Damage(NodeFault):
    """A damaged file (Fault)."""

    kind = "damage"

    def __init__(
        self,
        on: NodeSpec = one,
        what: Damaged = Damaged.SEGMENT,
        how: How = How.FLIP,
        *,
        topic: str = "",
        after_stop: bool | None = None,
    ) -> None:
        """`topic` is the one whose partitions' files are damaged, "" for any. `after_stop`: whether the node is stopped
        in order first; None for what suits the file."""
        super().__init__(on)
        self._topic = topic
        self.what, self.how = what, how
        self._after_stop = what not in AFTER_A_CRASH if after_stop is None else after_stop
        self._chance = Random(0)
        self._originals: dict[int, Original] = {}
        self.refused: list[int] = []
        """Nodes that ended by themselves at their start on the damaged file."""

    @property
    def name(self) -> str:
        """With the file, and how."""
        return super().name.replace(self.kind, f"{self.kind}:{self.what}:{self.how}", 1)

    def lack(self, cluster: Cluster) -> Lack | None:
        """What is missing on this cluster for this fault."""
        if (found := super().lack(cluster)) is not None:
            return found
        if away := [node.id for node in cluster.nodes if node.data_dir is None]:
            return Lack(Means.FAULTS, f"{self.name} needs the log folders of {nodes_text(away)}")
        return None

    def plan(self, view: ClusterView, random: Random) -> FaultAct:
        """As for any fault of nodes; place and bit are drawn too."""
        act = super().plan(view, random)
        self._chance = Random(random.getrandbits(64))
        return msgspec.structs.replace(
            act, parameters={**act.parameters, "file": self.what.value, "how": self.how.value}
        )

    def inject(self, cluster: Cluster, act: FaultAct) -> str:
        """Ends the nodes and damages the file of each."""
        self._originals.clear()
        self.refused.clear()
        told = []
        for node in self.remember(cluster, act):
            if not node.is_alive():
                raise HostTrouble(f"cannot damage a file of node {node.id}: not running")
            (node.stop if self._after_stop else node.kill)()
            told.append(f"node {node.id}: {self._damage(node)}")
        return "; ".join(told)

    def _damage(self, node: Node) -> str:
        assert node.data_dir is not None, "it was looked for"
        path = self._chosen(node.data_dir)
        data = path.read_bytes()
        where = self._place(data)
        if self.how is How.CUT:
            path.write_bytes(data[:where])
        else:
            bit = 1 << self._chance.randrange(8)
            path.write_bytes(data[:where] + bytes([data[where] ^ bit]) + data[where + 1 :])
        if path.read_bytes() == data:
            raise HostTrouble(f"{path} is as it was before it was damaged")
        self._originals[node.id] = Original(path, data)
        what = f"cut off at byte {where:,}" if self.how is How.CUT else f"a bit of byte {where:,} flipped"
        return f"{path.relative_to(node.data_dir)} of {len(data):,} bytes {what}"

    def _place(self, data: bytes) -> int:
        """Where a file is damaged. A checkpoint has no checksum, and one that is cut elsewhere may still make sense: it
        is cut after the number of its entries. A bit of a segment is flipped where the checksum of a batch says so: not
        in its base offset, its size or its leader epoch."""
        if self.how is How.CUT and self.what in CHECKPOINTS:
            return len(b"\n".join(data.split(b"\n")[:2])) + 1
        if self.how is How.FLIP and self.what is Damaged.SEGMENT and (batches := list(iter_batches(data))):
            number = self._chance.randrange(len(batches))
            begin = sum(len(batch.data) for batch in batches[:number])
            return begin + self._chance.randrange(CRC_AT, len(batches[number].data))
        return self._chance.randrange(len(data.rstrip(b"\0")) or len(data))  # indexes are longer than what they hold

    def _chosen(self, folder: Path) -> Path:
        found = [path for path in sorted(folder.glob(PATTERNS[self.what])) if not path.parent.name.startswith("__")]
        of_topic = [path for path in found if path.parent == folder or path.parent.name.startswith(self._topic)]
        sized = [path for path in of_topic if path.stat().st_size]
        if not sized:
            raise HostTrouble(f"there is no {self.what} to damage in {folder}")
        return self._chance.choice(sized)

    def heal(self, cluster: Cluster) -> str:
        """Starts the nodes; where one refuses the file, on the file as it was."""
        troubles = Troubles()
        for node in self.affected(cluster):
            with troubles.collected():
                self._start(node)
        troubles.raise_any()
        told = f"started {nodes_text(self._affected)}"
        return told + (f"; {nodes_text(self.refused)} refused the damaged file" if self.refused else "")

    def _start(self, node: Node) -> None:
        if node.is_alive():
            return
        node.start()
        if not _comes_up(node):
            self.refused.append(node.id)
            if (original := self._originals.get(node.id)) is not None:
                original.path.write_bytes(original.data)
            node.start()
            require_well(node)


def _comes_up(node: Node) -> bool:
    """Whether a node that was started answers; False where it has ended by itself. HostTrouble where neither comes."""
    try:
        node.wait_ready(READY_S)
    except HostTrouble:
        deadline = time.monotonic() + _ENDS_WITHIN_S
        while node.is_alive() and time.monotonic() < deadline:
            time.sleep(0.1)
        if node.is_alive():
            raise
        return False
    return True
