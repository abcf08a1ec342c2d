"""Topics and their partitions as the metadata log tells them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, ValuesView
from dataclasses import dataclass, field
from typing import Final

from immutables import Map

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
        return PartitionImage(
            index=self.index,
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

    @classmethod
    def of(cls, record: PartitionRecord) -> PartitionImage:
        """The partition that a record tells in full."""
        return cls(
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
class PartitionsImage(Mapping[int, PartitionImage]):
    """A topic's partitions by index, iterated ascending. A changed copy shares what did not change."""

    by_index: Map[int, PartitionImage] = field(default_factory=Map)

    def __getitem__(self, index: int) -> PartitionImage:
        return self.by_index[index]

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self.by_index))

    def __len__(self) -> int:
        return len(self.by_index)

    def values(self) -> ValuesView[PartitionImage]:
        """The partitions, by index."""
        return {index: self.by_index[index] for index in self}.values()


NO_PARTITIONS: Final = PartitionsImage()


@dataclass(frozen=True, slots=True)
class TopicImage:
    """A topic; `partitions` by index, ascending. Whoever gets an image does not change it."""

    name: str
    id: Uuid
    partitions: Mapping[int, PartitionImage]

    @property
    def is_internal(self) -> bool:
        """Whether Kafka keeps it for itself."""
        return self.name in INTERNAL_TOPICS


@dataclass(frozen=True, slots=True)
class TopicsImage:
    """All topics, by name and by id; iterated by name.

    `by_metric_name` has the names that hold '.' or '_', by the name of their metrics, where both count as one.
    """

    by_name: Map[str, TopicImage] = field(default_factory=Map)
    by_id: Map[Uuid, TopicImage] = field(default_factory=Map)
    by_metric_name: Map[str, tuple[str, ...]] = field(default_factory=Map)

    def get(self, name: str) -> TopicImage | None:
        """A topic by name."""
        return self.by_name.get(name)

    def __len__(self) -> int:
        return len(self.by_name)

    def __iter__(self) -> Iterator[TopicImage]:
        return (self.by_name[name] for name in sorted(self.by_name))

    def __contains__(self, name: object) -> bool:
        return name in self.by_name

    def colliding(self, name: str) -> str | None:
        """The first other topic whose metrics would have the same name; None where there is none."""
        return next((other for other in self.by_metric_name.get(metric_name(name), ()) if other != name), None)

    def records(self, *, version: int) -> Iterator[VersionedRecord]:
        """The records that make these topics, for a snapshot."""
        for topic in self:
            yield TopicRecord(name=TopicName(topic.name), topic_id=topic.id), 0
            for partition in topic.partitions.values():
                yield partition.record(topic.id, version=version)


def metric_name(name: str) -> str:
    """A topic's name in metrics."""
    return name.replace(".", "_")
