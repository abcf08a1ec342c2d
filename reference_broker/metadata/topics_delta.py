"""Changes to topics and their partitions, record by record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from immutables import Map

from reference_broker.metadata.topics import (
    NO_PARTITIONS,
    PartitionImage,
    PartitionsImage,
    TopicImage,
    TopicsImage,
    metric_name,
)
from reference_broker.wire.messages.partition_change_record import PartitionChangeRecord
from reference_broker.wire.messages.partition_record import PartitionRecord
from reference_broker.wire.messages.topic_record import TopicRecord
from reference_broker.wire.primitives import Uuid


class TopicChange(NamedTuple):
    """A topic before and after; None where it was not there, or is gone. `indexes` are of its changed partitions."""

    before: TopicImage | None
    after: TopicImage | None
    indexes: tuple[int, ...] = ()

    def changed_partitions(self) -> list[PartitionImage]:
        """The partitions that are new or changed, as they are now, by index; none of a topic that is gone."""
        return [self.after.partitions[index] for index in self.indexes] if self.after is not None else []


class TopicsDelta:
    """Changes to topics. What a change costs does not depend on how many topics and partitions there are."""

    def __init__(self, before: TopicsImage) -> None:
        self.before = before
        self._topics: dict[Uuid, TopicImage | None] = {}
        """Changed topics, in the order in which they changed first; None for one that is gone."""
        self._names: dict[str, Uuid | None] = {}
        """The names of topics that are new (their ids), or gone (None)."""
        self._partitions: dict[Uuid, dict[int, PartitionImage]] = {}
        """The changed partitions of changed topics, by index."""

    def changes(self) -> dict[Uuid, TopicChange]:
        """Changed topics by id, in the order in which they changed first."""
        found = {}
        for topic_id, known in self._topics.items():
            before = self.before.by_id.get(topic_id)
            # A topic that came and went within the delta was never there.
            if before is not None or known is not None:
                after = None if known is None else self.topic(topic_id)
                found[topic_id] = TopicChange(before, after, tuple(sorted(self._partitions.get(topic_id, ()))))
        return found

    def after(self) -> TopicsImage:
        """The topics with all changes made; further changes do not touch it."""
        if not self._topics:
            return self.before
        by_name, by_id = self.before.by_name.mutate(), self.before.by_id.mutate()
        by_metric_name = self.before.by_metric_name.mutate()
        for name, new_id in self._names.items():
            if new_id is None:
                by_name.pop(name, None)
            if "." in name or "_" in name:
                others = [other for other in by_metric_name.get(metric_name(name), ()) if other != name]
                names = others if new_id is None else sorted([*others, name])
                by_metric_name[metric_name(name)] = tuple(names)
        for topic_id, known in self._topics.items():
            if known is None:
                by_id.pop(topic_id, None)
            else:
                by_id[topic_id] = by_name[known.name] = self.topic(topic_id)
        return TopicsImage(by_name.finish(), by_id.finish(), by_metric_name.finish())

    def topic(self, topic_id: Uuid) -> TopicImage:
        """A topic as changed so far; KeyError where there is none."""
        known = self._known(topic_id)
        changed = self._partitions.get(topic_id)
        if not changed:
            return known
        if any(known.partitions.get(index) is not one for index, one in changed.items()):
            before = known.partitions
            by_index = before.by_index if isinstance(before, PartitionsImage) else Map(before)
            known = self._topics[topic_id] = TopicImage(known.name, topic_id, PartitionsImage(by_index.update(changed)))
        return known

    def _known(self, topic_id: Uuid) -> TopicImage:
        """A topic, whose partitions may have changed since; KeyError where there is none."""
        found = self._topics[topic_id] if topic_id in self._topics else self.before.by_id[topic_id]
        if found is None:
            raise KeyError(topic_id)
        return found

    def _partition(self, topic_id: Uuid, index: int) -> PartitionImage:
        """A partition as changed so far; KeyError where there is none."""
        changed = self._partitions.get(topic_id, {})
        return changed[index] if index in changed else self._known(topic_id).partitions[index]

    def _set(self, topic_id: Uuid, partition: PartitionImage) -> None:
        self._topics.setdefault(topic_id, self._known(topic_id))
        self._partitions.setdefault(topic_id, {})[partition.index] = partition

    # -- records ------------------------------------------------------------------------------------------------

    def replay_topic(self, record: TopicRecord) -> None:
        """A topic without partitions yet."""
        self._topics[record.topic_id] = TopicImage(record.name, record.topic_id, NO_PARTITIONS)
        self._names[record.name] = record.topic_id
        self._partitions.pop(record.topic_id, None)

    def replay_partition(self, record: PartitionRecord) -> None:
        """A partition, new or told anew in full."""
        self._set(record.topic_id, PartitionImage.of(record))

    def replay_partition_change(self, record: PartitionChangeRecord) -> None:
        """Some of a partition's fields."""
        topic_id = record.topic_id
        self._set(topic_id, self._partition(topic_id, record.partition_id).changed_by(record))

    def replay_removal(self, topic_id: Uuid) -> TopicImage:
        """A topic goes, all partitions with it; returns what went."""
        topic = self.topic(topic_id)
        self._topics[topic_id] = self._names[topic.name] = None
        self._partitions.pop(topic_id, None)
        return topic

    def replay_clear_elr(self, name: str) -> None:
        """Forget the eligible leader replicas of one topic, or of all where the name is empty (KIP-966)."""
        known = dict.fromkeys([*(topic.id for topic in self.before), *self._topics])
        for topic_id in [one for one in known if self._topics.get(one, True) is not None]:
            topic = self.topic(topic_id)
            if name and topic.name != name:
                continue
            for partition in topic.partitions.values():
                if partition.elr or partition.last_known_elr:
                    self._set(topic_id, replace(partition, elr=(), last_known_elr=()))

    def become(self, target: TopicsImage) -> Iterator[None]:
        """All that differs from a whole other image, topic by topic and partition by partition.

        What is equal stays the object that it was.
        """
        for topic in self.before:
            if topic.id not in target.by_id:
                self.replay_removal(topic.id)
            yield
        for topic in target:
            before = self.before.by_id.get(topic.id)
            if before is None:
                self._topics[topic.id], self._names[topic.name] = topic, topic.id
                self._partitions[topic.id] = dict(topic.partitions)
            else:
                for partition in topic.partitions.values():
                    if before.partitions.get(partition.index) != partition:
                        self._set(topic.id, partition)
                    yield
            yield
