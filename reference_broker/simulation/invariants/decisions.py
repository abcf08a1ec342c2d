"""What the controllers decide about partitions, change by change as it is committed.

A leader is alive, and in sync or eligible; who joins the ISR has all that is committed; who leaves an ISR that gets too
small stays eligible; who did not stop in order is eligible no longer. Whether it was before, see `unclean_elections`.

Source: KIP-966 and the properties of its TLA+ model (ValidControllerIsrAndElr, LeaderCandidateCompleteness,
MinIsrRecoveryQuorum); KIP-841 and KIP-903 for who may be in sync.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from reference_broker.metadata.configs import TOPIC
from reference_broker.metadata.delta import MetadataDelta
from reference_broker.metadata.image import MetadataImage
from reference_broker.metadata.topics import NO_LEADER, PartitionImage, TopicImage
from reference_broker.raft.frames import CommittedBatch
from reference_broker.simulation.invariants.partitions import PartitionLogs
from reference_broker.simulation.invariants.unclean_elections import is_reverted
from reference_broker.simulation.world import World

RECOVERING: Final = 1
"""leader_recovery_state of a partition whose leader may lack records."""


class _Change(NamedTuple):
    """One partition, before and after a batch of records; it was not there where `before` is None."""

    topic: TopicImage
    before: PartitionImage | None
    after: PartitionImage
    delta: MetadataDelta

    @property
    def is_led_anew(self) -> bool:
        """Whether somebody begins to lead."""
        return self.after.leader != NO_LEADER and (self.before is None or self.before.leader != self.after.leader)

    def is_new_broker(self, broker_id: int) -> bool:
        """Whether a broker was registered in the same batch."""
        change = self.delta.changed_brokers.get(broker_id)
        return change is not None and (
            change.before is None or change.after is None or change.before.epoch != change.after.epoch
        )


class Decisions:
    """Is given every committed batch once, in order."""

    def __init__(self, world: World, logs: PartitionLogs) -> None:
        self._world, self._logs, self._unclean = world, logs, logs.unclean
        some = next(iter(world.nodes.values()))
        self._settings = some.config.topic_settings()
        """What topics get that have none of their own."""
        self._image = MetadataImage(cluster_id="")
        self._next_offset = 0
        self._stopped_in_order: dict[int, None] = {}

    def note_end(self, node_id: int, *, is_in_order: bool) -> None:
        """A node's process has ended."""
        if is_in_order:
            self._stopped_in_order[node_id] = None
        else:
            self._stopped_in_order.pop(node_id, None)

    def replay(self, batch: CommittedBatch) -> None:
        """The next batch."""
        if batch.base_offset != self._next_offset:
            self._world.broken(f"metadata offset {self._next_offset} was never told as committed")
        self._next_offset = batch.last_offset + 1
        if not batch.records:
            return
        self._unclean.replay(batch.records)
        delta = MetadataDelta.of(self._image, batch.records, batch.last_offset, batch.epoch)
        self._image = delta.after
        for change in delta.changed_topics.values():
            for partition in change.changed_partitions():
                topic = change.after
                assert topic is not None
                before = None if change.before is None else change.before.partitions.get(partition.index)
                self._check(_Change(topic, before, partition, delta))
        for broker_id, broker in delta.changed_brokers.items():
            if broker.before is not None and broker.after is not None and broker.before.epoch != broker.after.epoch:
                self._check_trust(broker_id, delta.after)

    def _setting(self, topic: TopicImage, name: str) -> str:
        own = self._image.config(TOPIC, topic.name)
        return own[name] if name in own else self._settings[name]

    def _min_isr(self, change: _Change) -> int:
        return min(int(self._setting(change.topic, "min.insync.replicas")), len(change.after.replicas))

    def _check(self, change: _Change) -> None:
        after = change.after
        if after.leader >= 0 and after.leader not in after.isr and after.leader not in after.elr:
            self._broken(
                change,
                f"is led by {after.leader}, which is neither in the ISR {after.isr} nor in the ELR {after.elr}",
            )
        strangers = [one for one in (*after.isr, *after.elr) if one not in after.replicas]
        if strangers:
            self._broken(change, f"has {strangers} in its ISR or ELR, which are none of its replicas {after.replicas}")
        if change.is_led_anew:
            self._check_leader(change)
        if change.before is not None:
            self._check_joins(change, change.before)
            self._check_leaves(change, change.before)

    def _check_leader(self, change: _Change) -> None:
        after = change.after
        broker = self._image.cluster.get(after.leader)
        if broker is None or not broker.is_active:
            self._broken(change, f"is to be led by {after.leader}, which is fenced or stops")

    def _check_joins(self, change: _Change, before: PartitionImage) -> None:
        """A leader that comes into the ISR by its election is looked at when it leads."""
        for one in (*before.replicas, *change.after.replicas):
            # Also when it is made one again: it may have been off since it was none (seed 729).
            if (one in before.replicas) != (one in change.after.replicas):
                self._logs.replicas.forget(one, (change.topic.id, change.after.index))
        for one in change.after.isr:
            if one in before.isr or one == change.after.leader:
                continue
            broker = self._image.cluster.get(one)
            if change.after.leader == NO_LEADER and self._may_be_fenced(change, before):
                continue
            if broker is None or broker.is_fenced:
                self._broken(change, f"takes {one} into its ISR, which is fenced")
            if self._logs.lacks_committed(one, change.topic.name, (change.topic.id, change.after.index)):
                self._broken(change, f"takes {one} into its ISR, which lacks what is committed")

    def _may_be_fenced(self, change: _Change, before: PartitionImage) -> bool:
        """Whether the ISR may be a fenced replica, for which the partition then waits without a leader (seed 729).

        Where a cancelled reassignment leaves nobody in sync and unclean elections are allowed, Kafka takes the first
        replica without asking whether it is fenced. A leader is elected of those that are not, if there are any, and is
        the ISR then. Source: Kafka 4.3.1, PartitionReassignmentRevert, PartitionChangeBuilder.electAnyLeader.
        """
        allows_unclean = self._setting(change.topic, "unclean.leader.election.enable") == "true"
        return allows_unclean and is_reverted(before, change.after)

    def _check_leaves(self, change: _Change, before: PartitionImage) -> None:
        after = change.after
        if not self._image.has_elr or len(after.isr) >= self._min_isr(change):
            return
        if after.leader_recovery_state == RECOVERING:
            return
        for one in (*before.isr, *before.elr):
            if one in after.isr or one in after.elr or one not in after.replicas or change.is_new_broker(one):
                continue
            self._broken(
                change, f"has the ISR {after.isr} and the ELR {after.elr}, and {one} is eligible no longer, as it was"
            )

    def _check_trust(self, broker_id: int, image: MetadataImage) -> None:
        """A broker was registered again."""
        if broker_id in self._stopped_in_order or not image.has_elr:
            return
        for topic in image.topics:
            for partition in topic.partitions.values():
                if broker_id in partition.elr or broker_id in partition.isr:
                    self._world.broken(
                        f"{topic.name}-{partition.index} trusts {broker_id}, which did not stop in order: ISR "
                        f"{partition.isr}, ELR {partition.elr}"
                    )

    def _broken(self, change: _Change, what: str) -> None:
        self._world.broken(f"{change.topic.name}-{change.after.index} {what}")
