"""Replicas of a partition: a leader commits only what all replicas in sync have, and while they are enough of them;
nobody cuts off what is committed; who starts again has what it had.

Source: KIP-101 (truncation), KIP-497 (maximal ISR), KIP-966 (min.insync.replicas) and the properties of their TLA+
models (ReplicationQuorumSuperset, LeaderCandidateCompleteness); topic configuration flush.messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from reference_broker.replication.leader import Leader
from reference_broker.replication.partition import Partition
from reference_broker.replication.partitions import Partitions
from reference_broker.simulation.simulated_node import SimulatedNode
from reference_broker.simulation.world import World

if TYPE_CHECKING:
    from reference_broker.simulation.invariants.partitions import CommittedLog
    from reference_broker.simulation.invariants.unclean_elections import Key

Entries = list[tuple[int, int]]
"""(leader epoch, its first offset), ascending."""


class State(NamedTuple):
    """What is seen of a replica. `truncations`: how often it was cut; `in_sync`: the maximal ISR, where it leads."""

    high_watermark: int
    leader_epoch: int
    is_leader: bool
    truncations: int
    entries: Entries
    in_sync: tuple[int, ...]

    @classmethod
    def of(cls, partition: Partition) -> State:
        """What is to be seen now."""
        log, role = partition.log, partition.role
        return cls(
            log.high_watermark,
            partition.leader_epoch,
            partition.is_leader,
            log.truncations,
            log.epochs.entries,
            role.isr.maximal if isinstance(role, Leader) else (),
        )


def epoch_at(entries: Entries, offset: int) -> int:
    """The leader epoch in which an offset was written; -1 when unknown."""
    return next((epoch for epoch, start in reversed(entries) if start <= offset), -1)


class Replicas:
    """Is shown every replica that has changed. `hosts` are the partitions of each node that runs."""

    def __init__(self, world: World, hosts: Mapping[int, Partitions]) -> None:
        self._world, self._hosts = world, hosts
        self._ends: dict[tuple[int, Key], int] = {}
        """Where the log of a replica ended when its process did, by node."""
        self._lossy: dict[int, None] = {}
        """The nodes that may lack records which they had: they lost power without having flushed them, or a folder of
        theirs has failed."""

    def on_ended(self, node: SimulatedNode, partitions: Iterable[Partition]) -> None:
        """A process has ended that had these, beside those whose folder had failed."""
        if node.disk.has_failed:
            self._lossy[node.node_id] = None
            self._ends = {place: end for place, end in self._ends.items() if place[0] != node.node_id}
            return
        for partition in partitions:
            key, log = (partition.topic_id, partition.index), partition.log
            self.forget(node.node_id, key)
            if node.is_dark and log.config.flush_messages > 1:
                self._lossy[node.node_id] = None
            elif not partition.is_gone:
                # Without power there is what was flushed; what was not has been told to nobody.
                self._ends[node.node_id, key] = log.recovery_point if node.is_dark else log.log_end_offset

    def forget(self, node_id: int, key: Key) -> None:
        """A node is no replica any more: if it is one again, then with an empty log."""
        self._ends.pop((node_id, key), None)

    def lacks_committed(self, node_id: int, key: Key, known: CommittedLog) -> bool:
        """Whether the replica of a broker that runs lacks something of what is committed, through a fault of ours."""
        replica, last = self._replica(node_id, key), known.end - 1
        if replica is None or (there := known.at(last)) is None:
            return False
        return replica.log.log_end_offset <= last or epoch_at(replica.log.epochs.entries, last) != there[2]

    def _replica(self, node_id: int, key: Key) -> Partition | None:
        """The replica of a node that runs and has lost nothing."""
        hosted = None if node_id in self._lossy else self._hosts.get(node_id)
        found = None if hosted is None else hosted.find_by_id(*key)
        return None if found is None or found.is_gone else found

    def look(
        self,
        node: SimulatedNode,
        partition: Partition,
        before: State | None,
        now: State,
        known: CommittedLog | None,
        *,
        is_latest: bool,
    ) -> None:
        """A replica has changed; `known` is what is committed of it, None for nothing. `is_latest`: no later leader
        epoch is known than its own."""
        key = (partition.topic_id, partition.index)
        if before is None:
            self._check_start(node, partition, key)
            return
        if known is None:
            return
        if now.truncations != before.truncations:
            self._check_cut(node, partition, known, before)
        role = partition.role
        if isinstance(role, Leader):
            if is_latest and before.is_leader and now.in_sync != before.in_sync:
                self._check_joins(node, partition, key, known, before, now)
            if now.high_watermark > before.high_watermark:
                self._check_commit(node, partition, key, role)

    def _check_start(self, node: SimulatedNode, partition: Partition, key: Key) -> None:
        """A replica is seen for the first time since its node started: it has what it had, and no damaged batch."""
        log, end = partition.log, self._ends.pop((node.node_id, key), 0)
        if node.disk.has_failed or node.disk.broken_folders:
            self._lossy[node.node_id] = None
            return
        if log.log_end_offset < end and not log.truncations:
            self._broken(node, partition, f"has a log up to {log.log_end_offset} after a start, before it up to {end}")
        if log.log_start_offset < log.log_end_offset:
            for batch in log.batches_from(log.log_end_offset - 1):
                if not batch.crc_is_valid():
                    self._broken(node, partition, f"has a damaged batch at {batch.header.base_offset} after a start")

    def _check_cut(self, node: SimulatedNode, partition: Partition, known: CommittedLog, before: State) -> None:
        """Whoever follows a leader cuts off what that lacks; it lacks nothing that is committed."""
        log, end = partition.log, partition.log.log_end_offset
        if not log.log_start_offset < end < known.end:
            return
        there = known.at(end)
        if there is not None and there[2] == epoch_at(before.entries, end):
            self._broken(node, partition, f"is cut to {end}, but {known.end} is committed, and it had that of {end}")

    def _check_joins(
        self, node: SimulatedNode, partition: Partition, key: Key, known: CommittedLog, before: State, now: State
    ) -> None:
        """A leader asks for a larger ISR: whoever is to join has all that is committed."""
        for one in now.in_sync:
            if one not in before.in_sync and one != node.node_id and self.lacks_committed(one, key, known):
                self._broken(node, partition, f"is to have {one} in its ISR, which lacks what is committed")

    def _check_commit(self, node: SimulatedNode, partition: Partition, key: Key, leader: Leader) -> None:
        """A leader's high watermark has moved: enough replicas are in sync, and all of them have what is below it."""
        log, last = partition.log, partition.log.high_watermark - 1
        needed = min(log.config.min_insync_replicas, len(leader.replica_ids))
        if len(leader.isr.committed) < needed:
            self._broken(node, partition, f"commits {last} with {leader.isr.committed} in sync, fewer than {needed}")
        epoch = epoch_at(log.epochs.entries, last)
        for member in leader.isr.maximal:
            replica = self._replica(member, key) if member != node.node_id else None
            # One that knows a later state of the partition may have been removed and be a replica again, with an empty
            # log, of which its leader has yet to hear (seed 114).
            if replica is None or replica.partition_epoch > partition.partition_epoch:
                continue
            if replica.log.log_end_offset <= last or epoch_at(replica.log.epochs.entries, last) != epoch:
                self._broken(node, partition, f"commits {last} of epoch {epoch}, which {member} in its ISR lacks")

    def _broken(self, node: SimulatedNode, partition: Partition, what: str) -> None:
        self._world.broken(f"node {node.node_id}: {partition} {what}")
