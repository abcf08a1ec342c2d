"""Unclean elections: which there were, whether anybody had allowed them, and what each may have lost.

They are seen in the committed metadata, record by record. The controller marks them (leader recovery state RECOVERING,
KIP-704); that mark alone excuses nothing: the new leader must have been neither in the ISR nor eligible, and somebody
must have asked for such elections.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from reference_broker.metadata.topics import NO_LEADER_CHANGE, PartitionImage
from reference_broker.wire.messages.partition_change_record import PartitionChangeRecord
from reference_broker.wire.messages.partition_record import PartitionRecord
from reference_broker.wire.messages.topic_record import TopicRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import Uuid

if TYPE_CHECKING:
    from reference_broker.simulation.world import World

Key = tuple[Uuid, int]
"""(topic id, partition)."""
RECOVERING: Final = 1


class UncleanElections:
    """What the committed metadata says of partitions, and the leader epochs that an unclean election began."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._partitions: dict[Key, PartitionImage] = {}
        self._names: dict[Uuid, str] = {}
        self._permitted: dict[str, None] = {}
        self._cuts: dict[Key, dict[int, int | None]] = {}
        """By leader epoch: the offset from which on records may be lost; None while nobody has led since."""
        self.on_elected: Callable[[Key, int, int], None] = lambda key, leader, epoch: None
        """Told of each that was permitted: the partition, who is elected, the leader epoch."""

    def permit(self, topic: str) -> None:
        """From now on somebody may ask for unclean elections of a topic's partitions."""
        self._permitted[topic] = None

    def is_permitted(self, topic: str) -> bool:
        """Whether somebody may have asked for an unclean election of a topic's partitions."""
        return topic in self._permitted

    def topic_id(self, topic: str) -> Uuid:
        """The latest topic of a name. KeyError where there was none."""
        return {name: topic_id for topic_id, name in self._names.items()}[topic]

    def replicas(self, topic: str, partition: int) -> tuple[int, ...]:
        """Of a partition, as they are now. KeyError where there is no such partition."""
        return self._partitions[self.topic_id(topic), partition].replicas

    def replay(self, records: Sequence[VersionedRecord]) -> None:
        """The next committed records."""
        for message, _ in records:
            if isinstance(message, TopicRecord):
                self._names[message.topic_id] = message.name
            elif isinstance(message, PartitionRecord):
                self._partitions[message.topic_id, message.partition_id] = PartitionImage.of(message)
            elif isinstance(message, PartitionChangeRecord):
                key = (message.topic_id, message.partition_id)
                before = self._partitions[key]
                after = self._partitions[key] = before.changed_by(message)
                if message.leader != NO_LEADER_CHANGE and message.leader >= 0:
                    self._look(key, before, after)

    def _look(self, key: Key, before: PartitionImage, after: PartitionImage) -> None:
        is_marked = after.leader_recovery_state == RECOVERING
        if after.leader in before.isr or after.leader in before.elr or after.leader == before.leader:
            return
        name = self._names[key[0]]
        if name in self._permitted and (is_marked or is_reverted(before, after)):
            self._cuts.setdefault(key, {})[after.leader_epoch] = None
            self.on_elected(key, after.leader, after.leader_epoch)
        elif is_marked and (len({*before.isr, *before.elr}) > 1 or after.leader not in before.last_known_elr):
            # The last leader that was known may lead again when all who were eligible have lost their trust (KIP-966),
            # the last of them perhaps by this very change; it is not to have lost anything here.
            self._world.broken(
                f"{name}-{key[1]}: node {after.leader} is elected uncleanly in epoch {after.leader_epoch}, which "
                f"nobody allowed; the ISR was {before.isr}, the ELR {before.elr}"
            )

    def unresolved(self, key: Key, epoch: int) -> int | None:
        """The unclean election that a leader of an epoch comes from, where it is the first one seen of it."""
        cuts = self._cuts.get(key, {})
        latest = max((one for one in cuts if one <= epoch), default=None)
        return latest if latest is not None and cuts[latest] is None else None

    def resolve(self, key: Key, epoch: int, cut: int) -> None:
        """The log of the leader that was elected in an epoch parts at `cut` from what was committed before."""
        self._cuts[key][epoch] = cut

    def may_lose(self, key: Key, offset: int, older: int, newer: int) -> bool:
        """Whether a record of the leader epoch `older` at an offset may be gone in the leader epoch `newer`."""
        return any(
            cut is not None and older < epoch <= newer and cut <= offset
            for epoch, cut in self._cuts.get(key, {}).items()
        )

    def lowest_cut(self, key: Key, epoch: int) -> int | None:
        """How far a replica may have to go back that knows a leader epoch; None where it may not at all."""
        found = [cut for one, cut in self._cuts.get(key, {}).items() if cut is not None and one <= epoch]
        return min(found, default=None)


def is_reverted(before: PartitionImage, after: PartitionImage) -> bool:
    """Whether a reassignment was cancelled and left nobody in sync: the first replica from before it is the ISR then.

    Kafka wants unclean elections to be allowed for that, and does not mark it as one. Source: Kafka 4.3.1,
    PartitionReassignmentRevert, ReplicationControlManager.cancelPartitionReassignment (KIP-455).
    """
    was_reassigning = bool(before.adding_replicas or before.removing_replicas)
    is_reassigning = bool(after.adding_replicas or after.removing_replicas)
    is_left = any(one not in before.adding_replicas for one in before.isr)
    return was_reassigning and not is_reassigning and not is_left and after.isr == after.replicas[:1]
