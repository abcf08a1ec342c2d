"""Partition logs: one leader in an epoch; what is below a high watermark stays, and is the same in every replica.

Source: KIP-101, KIP-279, KIP-966 and the properties of their TLA+ models (LeaderCompleteness, LogMatching,
NoCommittedRecordLostGlobally, ConsistentRead).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from reference_broker.log.partition_log import PartitionLog
from reference_broker.replication.partition import Partition
from reference_broker.replication.partitions import Partitions
from reference_broker.simulation.simulated_node import SimulatedNode
from reference_broker.simulation.world import World
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.records import BatchHeader

Key = tuple[Uuid, int]
"""(topic id, partition)."""


class CommittedLog:
    """What was ever below a high watermark of one partition: batches as (base offset, next offset, epoch, CRC)."""

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.batches: list[tuple[int, int, int, int]] = []
        self.end = 0

    def add(self, batch: tuple[int, int, int, int]) -> None:
        """The next batch."""
        self.starts.append(batch[0])
        self.batches.append(batch)
        self.end = batch[1]

    def at(self, base_offset: int) -> tuple[int, int, int, int] | None:
        """The batch that holds an offset."""
        index = bisect_right(self.starts, base_offset) - 1
        return self.batches[index] if index >= 0 else None


class PartitionLogs:
    """Looks at every replica whose high watermark or leadership has changed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.leaders: dict[tuple[Key, int], int] = {}
        """By partition and leader epoch."""
        self.committed: dict[Key, CommittedLog] = {}
        self._latest: dict[Key, int] = {}
        """The highest leader epoch in which any broker has led."""
        self._hosts: dict[int, Partitions] = {}
        self._seen: dict[int, dict[Partition, tuple[int, int, bool]]] = {}
        """By node: the high watermark, epoch and leadership last seen of each replica."""

    def on_started(self, node: SimulatedNode) -> None:
        """A new process."""
        process = node.process
        if process is not None and process.parts.broker is not None:
            self._hosts[node.node_id] = process.parts.broker.partitions
            self._seen[node.node_id] = {}

    def on_ended(self, node: SimulatedNode) -> None:
        """Its next process begins anew."""
        self._hosts.pop(node.node_id, None)
        self._seen.pop(node.node_id, None)

    def on_halted(self, node: SimulatedNode, reason: str) -> None:
        """Told elsewhere."""

    def on_log(self, node: SimulatedNode, level: str, text: str) -> None:
        """Told elsewhere."""

    def on_event(self, node: SimulatedNode) -> None:
        """Look at what has changed."""
        partitions = self._hosts.get(node.node_id)
        if partitions is None:
            return
        seen = self._seen[node.node_id]
        for partition in partitions:
            state = (partition.log.high_watermark, partition.leader_epoch, partition.is_leader)
            before = seen.get(partition)
            if before != state and not partition.is_gone:
                seen[partition] = state
                self._look(node, partition, before)

    def _look(self, node: SimulatedNode, partition: Partition, before: tuple[int, int, bool] | None) -> None:
        key = (partition.topic_id, partition.index)
        mark, epoch, is_leader = partition.log.high_watermark, partition.leader_epoch, partition.is_leader
        if mark > partition.log.log_end_offset:
            self._broken(node, partition, f"the high watermark {mark} is above the end {partition.log.log_end_offset}")
        if before is not None and mark < before[0]:
            self._broken(node, partition, f"the high watermark goes back from {before[0]} to {mark}")
        if is_leader and (before is None or before[1:] != (epoch, True)):
            self._note_leader(node, partition, key, epoch)
        checked = 0 if before is None else before[0]
        if mark > checked:
            self._check_committed(node, partition, self.committed.setdefault(key, CommittedLog()), checked, mark)

    def _note_leader(self, node: SimulatedNode, partition: Partition, key: Key, epoch: int) -> None:
        other = self.leaders.setdefault((key, epoch), node.node_id)
        if other != node.node_id:
            self._broken(node, partition, f"is led in epoch {epoch}, in which node {other} led it")
        known, latest = self.committed.get(key), self._latest.get(key, -1)
        self._latest[key] = max(epoch, latest)
        # Who replays old metadata may lead an epoch that is over, without what a later leader committed (seed 3336).
        if known is None or epoch < latest:
            return
        if partition.log.log_end_offset < known.end:
            end = partition.log.log_end_offset
            self._broken(
                node, partition, f"is led in epoch {epoch} with a log up to {end}, but {known.end} is committed"
            )
        self._check_committed(node, partition, known, partition.log.high_watermark, known.end)

    def _check_committed(
        self, node: SimulatedNode, partition: Partition, known: CommittedLog, start: int, end: int
    ) -> None:
        """Compare what a replica has from an offset up to another with what is committed; what is new is noted."""
        log = partition.log
        start = max(start, log.log_start_offset)
        if start >= end:
            return
        for header in self._headers(log, start):
            if header.base_offset >= end:
                break
            following = header.base_offset + header.last_offset_delta + 1
            found = (header.base_offset, following, header.partition_leader_epoch, header.crc)
            if header.base_offset >= known.end:
                known.add(found)
            elif (there := known.at(header.base_offset)) != found:
                self._broken(node, partition, f"holds {found} where {there} is committed (base, next, epoch, CRC)")

    def _headers(self, log: PartitionLog, offset: int) -> Iterator[BatchHeader]:
        """Of all batches from the one that holds an offset on."""
        for segment in log.segments[log.segment_of(offset) :]:
            for _, header in segment.headers_from(segment.position_of(offset)):
                yield header

    def _broken(self, node: SimulatedNode, partition: Partition, what: str) -> None:
        self._world.broken(f"node {node.node_id}: {partition} {what}")
