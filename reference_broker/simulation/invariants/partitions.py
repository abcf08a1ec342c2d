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
from reference_broker.simulation.invariants.replicas import Replicas, State
from reference_broker.simulation.invariants.unclean_elections import Key, UncleanElections
from reference_broker.simulation.simulated_node import SimulatedNode
from reference_broker.simulation.world import World
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.records import BatchHeader

Found = tuple[int, int, int, int]
"""A batch as (base offset, next offset, epoch, CRC)."""


class CommittedLog:
    """What was ever below a high watermark of one partition, batch by batch."""

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.batches: list[Found] = []
        self.end = 0

    def add(self, batch: Found) -> None:
        """The next batch."""
        self.starts.append(batch[0])
        self.batches.append(batch)
        self.end = batch[1]

    def at(self, base_offset: int) -> Found | None:
        """The batch that holds an offset."""
        index = bisect_right(self.starts, base_offset) - 1
        return self.batches[index] if index >= 0 else None

    def before(self, offset: int) -> CommittedLog:
        """The batches that end at an offset or below, as a log of their own."""
        kept = CommittedLog()
        for batch in self.batches:
            if batch[1] <= offset:
                kept.add(batch)
        return kept


class CommittedLogs:
    """The committed log of one partition, and after each unclean election another, which begins as the one before."""

    def __init__(self) -> None:
        self.first = CommittedLog()
        self._later: dict[int, CommittedLog] = {}
        """By the leader epoch from which on they count, ascending."""

    @property
    def have_parted(self) -> bool:
        """Whether there is more than one."""
        return bool(self._later)

    def of_epoch(self, epoch: int) -> CommittedLog:
        """What counts for a replica that knows a leader epoch."""
        if not self._later:
            return self.first
        return next((log for start, log in reversed(self._later.items()) if start <= epoch), self.first)

    def part(self, epoch: int, log: CommittedLog) -> None:
        """From a leader epoch on another log counts."""
        self._later = dict(sorted({**self._later, epoch: log}.items()))

    def all(self) -> tuple[CommittedLog, ...]:
        """All of them."""
        return (self.first, *self._later.values())

    def epoch_of(self, base_offset: int, crc: int) -> int | None:
        """The leader epoch in which a batch was committed first; None where it never was.

        That is not always its own: what only the replica had that was elected uncleanly is committed by its leadership.
        """
        for start, log in ((-1, self.first), *self._later.items()):
            found = log.at(base_offset)
            if found is not None and (found[0], found[3]) == (base_offset, crc):
                return max(found[2], start)
        return None


class PartitionLogs:
    """Looks at every replica whose high watermark or leadership has changed."""

    def __init__(self, world: World, unclean: UncleanElections) -> None:
        self._world, self.unclean = world, unclean
        self.leaders: dict[tuple[Key, int], int] = {}
        """By partition and leader epoch."""
        self.committed: dict[Key, CommittedLogs] = {}
        self._kept: dict[tuple[Key, int], int] = {}
        """By partition and leader epoch: how far the log of the replica that was elected uncleanly was as committed."""
        unclean.on_elected = self._on_elected
        self._latest: dict[Key, int] = {}
        """The highest leader epoch in which any broker has led."""
        self._hosts: dict[int, Partitions] = {}
        self._seen: dict[int, dict[Partition, State]] = {}
        """By node."""
        self.replicas = Replicas(world, self._hosts)
        self._ends: dict[Key, int] = {}
        """The highest high watermark of each partition; also of a replica whose folder failed in the same event."""

    def epoch_of(self, topic_id: Uuid, partition: int, base_offset: int, crc: int) -> int | None:
        """The leader epoch in which a batch was committed at an offset; None where none with this CRC ever was."""
        key = (topic_id, partition)
        logs = self.committed.get(key)
        epoch = None if logs is None else logs.epoch_of(base_offset, crc)
        return self._epoch_elsewhere(key, base_offset, crc) if epoch is None else epoch

    def _epoch_elsewhere(self, key: Key, base_offset: int, crc: int) -> int | None:
        """The same where the leader's folder failed in the event that committed the batch: as the others have it."""
        if base_offset >= self.committed_end(key):
            return None
        for node_id, hosted in self._hosts.items():
            replica = hosted.find_by_id(*key)
            if replica is None or replica.is_gone:
                continue
            with self._world.nodes[node_id].disk.spared():
                for header in self._headers(replica.log, base_offset):
                    if (header.base_offset, header.crc) == (base_offset, crc):
                        return header.partition_leader_epoch
                    break
        return None

    def committed_end(self, key: Key) -> int:
        """The end of what was ever below a high watermark of a partition."""
        return self._ends.get(key, 0)

    def leading(self, key: Key) -> tuple[int, int]:
        """The highest leader epoch of a partition in which any broker has led, and who did; -1 for none."""
        epoch = self._latest.get(key, -1)
        return epoch, self.leaders.get((key, epoch), -1)

    def on_started(self, node: SimulatedNode) -> None:
        """A new process."""
        process = node.process
        if process is not None and process.parts.broker is not None:
            self._hosts[node.node_id] = process.parts.broker.partitions
            self._seen[node.node_id] = {}

    def on_ended(self, node: SimulatedNode) -> None:
        """Its next process begins anew."""
        self.replicas.on_ended(node, self._hosts.pop(node.node_id, ()))
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
        seen, online = self._seen[node.node_id], 0
        for partition in partitions:
            online += 1
            state = State.of(partition)
            before = seen.get(partition)
            if before == state:
                continue
            self._note_end(partition)
            if not partition.is_gone:
                seen[partition] = state
                with node.disk.spared():
                    self._look(node, partition, before)
                    self._look_at_replica(node, partition, before, state)
        if online < len(seen):
            for partition in [one for one in seen if one.is_gone]:
                self._note_end(partition)
                del seen[partition]

    def _note_end(self, partition: Partition) -> None:
        key = (partition.topic_id, partition.index)
        self._ends[key] = max(partition.log.high_watermark, self._ends.get(key, 0))

    def _look_at_replica(self, node: SimulatedNode, partition: Partition, before: State | None, now: State) -> None:
        """What an unclean election may have lost is looked at elsewhere."""
        key = (partition.topic_id, partition.index)
        logs = None if self.unclean.is_permitted(partition.topic) else self.committed.get(key)
        is_latest = now.leader_epoch >= self._latest.get(key, -1)
        self.replicas.look(node, partition, before, now, None if logs is None else logs.first, is_latest=is_latest)

    def lacks_committed(self, node_id: int, topic: str, key: Key) -> bool:
        """Whether the replica of a broker that runs lacks something of what is committed, through a fault of ours."""
        logs = None if self.unclean.is_permitted(topic) else self.committed.get(key)
        return logs is not None and self.replicas.lacks_committed(node_id, key, logs.first)

    def _look(self, node: SimulatedNode, partition: Partition, before: State | None) -> None:
        key = (partition.topic_id, partition.index)
        mark, epoch, is_leader = partition.log.high_watermark, partition.leader_epoch, partition.is_leader
        if mark > partition.log.log_end_offset:
            self._broken(node, partition, f"the high watermark {mark} is above the end {partition.log.log_end_offset}")
        if before is not None and mark < before[0]:
            lowest = self.unclean.lowest_cut(key, epoch)
            if lowest is None or mark < lowest:
                self._broken(node, partition, f"the high watermark goes back from {before[0]} to {mark}")
        if is_leader and (before is None or before[1:3] != (epoch, True)):
            self._note_leader(node, partition, key, epoch)
        checked = 0 if before is None else before[0]
        if mark > checked:
            logs = self.committed.setdefault(key, CommittedLogs())
            if (
                before is None
                and logs.have_parted
                and any(self._difference(partition, log, mark) is None for log in logs.all())
            ):
                # A new process may still have what it had before it hears of an unclean election.
                return
            self._check_committed(node, partition, logs.of_epoch(epoch), checked, mark)

    def _note_leader(self, node: SimulatedNode, partition: Partition, key: Key, epoch: int) -> None:
        other = self.leaders.setdefault((key, epoch), node.node_id)
        if other != node.node_id:
            self._broken(node, partition, f"is led in epoch {epoch}, in which node {other} led it")
        logs, latest = self.committed.get(key), self._latest.get(key, -1)
        self._latest[key] = max(epoch, latest)
        if logs is None:
            return
        if (began := self.unclean.unresolved(key, epoch)) is not None:
            before = logs.of_epoch(began - 1)
            # What it had when it was elected it must still have, now that it leads.
            cut = max(self._common(partition, before), self._kept.get((key, began), 0))
            self.unclean.resolve(key, began, cut)
            logs.part(began, before.before(cut))
        # Who replays old metadata may lead an epoch that is over, without what a later leader committed (seed 3336).
        if epoch < latest:
            return
        known = logs.of_epoch(epoch)
        if partition.log.log_end_offset < known.end:
            end = partition.log.log_end_offset
            self._broken(
                node, partition, f"is led in epoch {epoch} with a log up to {end}, but {known.end} is committed"
            )
        self._check_committed(node, partition, known, partition.log.high_watermark, known.end)

    def _on_elected(self, key: Key, leader: int, epoch: int) -> None:
        """A replica was elected uncleanly: see what it has; one that does not run is looked at when it leads."""
        logs = self.committed.get(key)
        for partition in self._hosts.get(leader, ()):
            if logs is not None and (partition.topic_id, partition.index) == key and not partition.is_gone:
                with self._world.nodes[leader].disk.spared():
                    self._kept[key, epoch] = self._common(partition, logs.of_epoch(epoch - 1))

    def _common(self, partition: Partition, known: CommittedLog) -> int:
        """How far a replica has what is committed."""
        offset = self._difference(partition, known, known.end)
        return known.end if offset is None else offset

    def _difference(self, partition: Partition, known: CommittedLog, end: int) -> int | None:
        """The first offset below another one at which a replica does not have what is committed; None for none."""
        log = partition.log
        offset = log.log_start_offset
        for header in self._headers(log, offset):
            if offset >= end:
                return None
            following = header.base_offset + header.last_offset_delta + 1
            found = (header.base_offset, following, header.partition_leader_epoch, header.crc)
            if known.at(header.base_offset) != found:
                return header.base_offset
            offset = following
        return offset if offset < end else None

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
