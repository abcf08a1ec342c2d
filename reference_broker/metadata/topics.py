"""Topics and their partitions as the metadata log tells them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from reference_broker.wire.messages.partition_change_record import PartitionChangeRecord
from reference_broker.wire.messages.partition_record import PartitionRecord
from reference_broker.wire.messages.topic_record import TopicRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import ZERO_UUID, BrokerId, TopicName, Uuid

NO_LEADER: Final = -1
NO_LEADER_CHANGE: Final = -2
NO_RECOVERY_CHANGE: Final = -1
INTERNAL_TOPICS: Final = ("__consumer_offsets", "__share_group_state", "__transaction_state")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionImage:
    """One partition. `leader` is -1 for none; `elr` are the eligible leader replicas (KIP-966)."""

    index: int
    replicas: tuple[int, ...]
    isr: tuple[int, ...]
    leader: int
    leader_epoch: int
    partition_epoch: int
    directories: tuple[Uuid, ...] = ()
    removing_replicas: tuple[int, ...] = ()
    adding_replicas: tuple[int, ...] = ()
    leader_recovery_state: int = 0
    elr: tuple[int, ...] = ()
    last_known_elr: tuple[int, ...] = ()

    def directory_of(self, replica: int) -> Uuid:
        """The folder of a replica as the metadata names it; all zeros where it names none."""
        at = self.replicas.index(replica)
        return self.directories[at] if at < len(self.directories) else ZERO_UUID

    def changed_by(self, record: PartitionChangeRecord) -> PartitionImage:
        """The partition after a change; a leader in the record is a new leader epoch."""
        is_led_anew = record.leader != NO_LEADER_CHANGE
        replicas, removing, adding = record.replicas, record.removing_replicas, record.adding_replicas
        return replace(
            self,
            isr=self.isr if record.isr is None else tuple(record.isr),
            leader=record.leader if is_led_anew else self.leader,
            leader_epoch=self.leader_epoch + 1 if is_led_anew else self.leader_epoch,
            partition_epoch=self.partition_epoch + 1,
            replicas=self.replicas if replicas is None else tuple(replicas),
            removing_replicas=self.removing_replicas if removing is None else tuple(removing),
            adding_replicas=self.adding_replicas if adding is None else tuple(adding),
            directories=self.directories if record.directories is None else record.directories,
            leader_recovery_state=self.leader_recovery_state
            if record.leader_recovery_state == NO_RECOVERY_CHANGE
            else record.leader_recovery_state,
            elr=self.elr if record.eligible_leader_replicas is None else tuple(record.eligible_leader_replicas),
            last_known_elr=self.last_known_elr if record.last_known_elr is None else tuple(record.last_known_elr),
        )

    def record(self, topic_id: Uuid, *, version: int) -> VersionedRecord:
        """The record that makes this partition out of nothing."""
        has_elr = version >= 2
        message = PartitionRecord(
            partition_id=self.index,
            topic_id=topic_id,
            replicas=tuple(map(BrokerId, self.replicas)),
            isr=self.isr,
            removing_replicas=tuple(map(BrokerId, self.removing_replicas)),
            adding_replicas=tuple(map(BrokerId, self.adding_replicas)),
            leader=BrokerId(self.leader),
            leader_recovery_state=self.leader_recovery_state,
            leader_epoch=self.leader_epoch,
            partition_epoch=self.partition_epoch,
            directories=self.directories,
            eligible_leader_replicas=tuple(map(BrokerId, self.elr)) if has_elr and self.elr else None,
            last_known_elr=tuple(map(BrokerId, self.last_known_elr)) if has_elr and self.last_known_elr else None,
        )
        return message, version


@dataclass(frozen=True, slots=True)
class TopicImage:
    """A topic; `partitions` by index, ascending."""

    name: str
    id: Uuid
    partitions: dict[int, PartitionImage]

    @property
    def is_internal(self) -> bool:
        """Whether Kafka keeps it for itself."""
        return self.name in INTERNAL_TOPICS


class TopicsImage:
    """All topics, by name and by id."""

    def __init__(self) -> None:
        self.by_name: dict[str, TopicImage] = {}
        self.by_id: dict[Uuid, TopicImage] = {}

    def get(self, name: str) -> TopicImage | None:
        """A topic by name."""
        return self.by_name.get(name)

    def __len__(self) -> int:
        return len(self.by_name)

    def __iter__(self) -> Iterator[TopicImage]:
        return iter(self.by_name.values())

    def __contains__(self, name: object) -> bool:
        return name in self.by_name

    def replay_topic(self, record: TopicRecord) -> None:
        """A topic without partitions yet."""
        topic = TopicImage(record.name, record.topic_id, {})
        self.by_name[record.name] = self.by_id[record.topic_id] = topic

    def replay_partition(self, record: PartitionRecord) -> None:
        """A partition, new or told anew in full."""
        self.by_id[record.topic_id].partitions[record.partition_id] = PartitionImage(
            index=record.partition_id,
            replicas=tuple(record.replicas),
            isr=tuple(record.isr),
            leader=record.leader,
            leader_epoch=record.leader_epoch,
            partition_epoch=record.partition_epoch,
            directories=record.directories,
            removing_replicas=tuple(record.removing_replicas),
            adding_replicas=tuple(record.adding_replicas),
            leader_recovery_state=record.leader_recovery_state,
            elr=tuple(record.eligible_leader_replicas or ()),
            last_known_elr=tuple(record.last_known_elr or ()),
        )

    def replay_partition_change(self, record: PartitionChangeRecord) -> None:
        """Some of a partition's fields."""
        partitions = self.by_id[record.topic_id].partitions
        partitions[record.partition_id] = partitions[record.partition_id].changed_by(record)

    def replay_removal(self, topic_id: Uuid) -> TopicImage:
        """A topic goes, all partitions with it; returns what went."""
        topic = self.by_id.pop(topic_id)
        del self.by_name[topic.name]
        return topic

    def replay_clear_elr(self, name: str) -> None:
        """Forget the eligible leader replicas of one topic, or of all where the name is empty."""
        for topic in [self.by_name[name]] if name else list(self.by_name.values()):
            for index, partition in topic.partitions.items():
                topic.partitions[index] = replace(partition, elr=(), last_known_elr=())

    def records(self, *, version: int) -> Iterator[VersionedRecord]:
        """The records that make these topics, for a snapshot."""
        for topic in self.by_name.values():
            yield TopicRecord(name=TopicName(topic.name), topic_id=topic.id), 0
            for partition in topic.partitions.values():
                yield partition.record(topic.id, version=version)
