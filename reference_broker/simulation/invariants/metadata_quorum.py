"""The metadata quorum: one leader in an epoch, one vote; what is committed stays; equal images at equal offsets.

Source: KIP-595 and the properties of its TLA+ models (NeverTwoLeadersInSameEpoch, NoLogDivergence,
LeaderHasAllAckedValues); KIP-631 for the images.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reference_broker.environment import Now
from reference_broker.metadata.image import MetadataImage
from reference_broker.node import Node
from reference_broker.raft.frames import CommittedBatch
from reference_broker.raft.snapshots import SnapshotId
from reference_broker.simulation.invariants.decisions import Decisions
from reference_broker.simulation.simulated_node import SimulatedNode
from reference_broker.simulation.world import World
from reference_broker.wire.metadata_records import VersionedRecord

Committed = tuple[int, int, tuple[VersionedRecord, ...]]
"""(last offset, epoch, records) of a batch."""


class _Listener:
    """What one process is told of the log."""

    def __init__(self, quorum: MetadataQuorum, node: SimulatedNode) -> None:
        self._quorum, self._node = quorum, node

    def on_commit(self, batches: Sequence[CommittedBatch], now: Now) -> None:
        """Committed, in order."""
        for batch in batches:
            self._quorum.note_committed(self._node, batch)

    def on_snapshot(self, snapshot_id: SnapshotId, records: Iterator[VersionedRecord], now: Now) -> None:
        """What a snapshot holds is seen by the image that it makes."""

    def on_leader(self, leader_id: int | None, epoch: int, now: Now) -> None:
        """Seen by the quorum itself."""


class _Seen:
    """What was last seen of one process."""

    def __init__(self, process: Node) -> None:
        self.process, self.quorum, self.publisher = process, process.parts.quorum, process.parts.publisher
        self.high_watermark = -1
        self.epoch = -1
        self.image: MetadataImage | None = None


class MetadataQuorum:
    """Looks at every member's role, high watermark and image, and at what each is told."""

    def __init__(self, world: World, decisions: Decisions) -> None:
        self._world, self._decisions = world, decisions
        self._seen: dict[int, _Seen] = {}
        self.leaders: dict[int, int] = {}
        """By epoch."""
        self.committed: dict[int, Committed] = {}
        """By base offset."""
        self.committed_end = 0
        self._images: dict[int, MetadataImage] = {}
        self._epochs: dict[int, int] = {}
        """The highest epoch that each node was ever seen in; what it stored before a crash counts."""

    def on_started(self, node: SimulatedNode) -> None:
        """Listen to what it is told."""
        process = node.process
        assert process is not None
        self._seen[node.node_id] = _Seen(process)
        process.parts.quorum.add_listener(_Listener(self, node), node.now())

    def on_ended(self, node: SimulatedNode) -> None:
        """Its next process begins anew."""
        seen = self._seen.pop(node.node_id, None)
        if seen is not None:
            self._decisions.note_end(node.node_id, is_in_order=seen.process.has_stopped)

    def on_halted(self, node: SimulatedNode, reason: str) -> None:
        """Told elsewhere."""

    def on_log(self, node: SimulatedNode, level: str, text: str) -> None:
        """Told elsewhere."""

    def on_event(self, node: SimulatedNode) -> None:
        """Look at what may have changed."""
        seen = self._seen.get(node.node_id)
        if seen is None:
            return
        mark, epoch, is_leader = seen.quorum.standing
        if mark != seen.high_watermark:
            if mark < seen.high_watermark:
                self._broken(node, f"the quorum's high watermark goes back from {seen.high_watermark} to {mark}")
            seen.high_watermark = mark
        if epoch != seen.epoch:
            known = self._epochs.get(node.node_id, -1)
            if epoch < known:
                self._broken(node, f"the quorum's epoch goes back from {known} to {epoch}")
            seen.epoch = self._epochs[node.node_id] = epoch
        if is_leader and self.leaders.get(epoch) != node.node_id:
            self._note_leader(node, seen.process, epoch)
        image = seen.publisher.image
        if image is not seen.image:
            seen.image = image
            self._note_image(node, image)

    def _note_leader(self, node: SimulatedNode, process: Node, epoch: int) -> None:
        other = self.leaders.setdefault(epoch, node.node_id)
        if other != node.node_id:
            self._broken(node, f"leads the quorum in epoch {epoch}, in which node {other} led")
        end = process.parts.quorum.end_offset
        if end < self.committed_end:
            self._broken(node, f"leads the quorum in epoch {epoch} with a log up to {end}, below what is committed")

    def note_committed(self, node: SimulatedNode, batch: CommittedBatch) -> None:
        """A process was told that a batch is committed."""
        told = (batch.last_offset, batch.epoch, batch.records)
        known = self.committed.setdefault(batch.base_offset, told)
        if known is not told and known != told:
            self._broken(node, f"metadata offset {batch.base_offset} was committed as {known}, now as {told}")
        if batch.last_offset >= self.committed_end:
            self.committed_end = batch.last_offset + 1
            self._decisions.replay(batch)

    def _note_image(self, node: SimulatedNode, image: MetadataImage) -> None:
        known = self._images.setdefault(image.offset, image)
        if known is not image and known != image:
            self._broken(node, f"the image at offset {image.offset} differs from another node's")

    def _broken(self, node: SimulatedNode, what: str) -> None:
        self._world.broken(f"node {node.node_id}: {what}")
