"""Changes to topics and their partitions, record by record."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from reference_broker.metadata.topics import PartitionImage, TopicImage, TopicsImage, metric_name
from reference_broker.wire.messages.partition_change_record import PartitionChangeRecord
from reference_broker.wire.messages.partition_record import PartitionRecord
from reference_broker.wire.messages.topic_record import TopicRecord
from reference_broker.wire.primitives import Uuid


class TopicChange(NamedTuple):
    """A topic before and after; None where it was not there, or is gone."""

    before: TopicImage | None
    after: TopicImage | None

    def changed_partitions(self) -> list[PartitionImage]:
        """The partitions that are new or changed, as they are now, by index; none of a topic that is gone."""
        if self.after is None:
            return []
        known = self.before.partitions if self.before is not None else {}
        return [one for index, one in self.after.partitions.items() if known.get(index) is not one]


class TopicsDelta:
    """Changes to topics. A changed topic's partitions are copied once, however many records change them."""

    def __init__(self, before: TopicsImage) -> None:
        self.before = before
        self._topics: dict[Uuid, TopicImage | None] = {}
        """Changed topics, in the order in which they changed first; None for one that is gone."""
        self._names: dict[str, Uuid | None] = {}
        """The names of topics that are new (their ids), or gone (None)."""
        self._own: dict[Uuid, dict[int, PartitionImage]] = {}
        """The partitions that may still be changed in place: no image has been made of them."""

    def changes(self) -> dict[Uuid, TopicChange]:
        """Changed topics by id, in the order in which they changed first."""
        pairs = {topic_id: TopicChange(self.before.by_id.get(topic_id), now) for topic_id, now in self._topics.items()}
        # A topic that came and went within the delta was never there.
        return {topic_id: change for topic_id, change in pairs.items() if change != (None, None)}

    def after(self) -> TopicsImage:
        """The topics with all changes made; further changes do not touch it."""
        if not self._topics:
            return self.before
        self._own.clear()
        by_name, by_id = self.before.by_name.mutate(), self.before.by_id.mutate()
        by_metric_name = self.before.by_metric_name.mutate()
        for name, new_id in self._names.items():
            if new_id is None:
                by_name.pop(name, None)
            if "." in name or "_" in name:
                others = [other for other in by_metric_name.get(metric_name(name), ()) if other != name]
                names = others if new_id is None else sorted([*others, name])
                by_metric_name[metric_name(name)] = tuple(names)
        for topic_id, topic in self._topics.items():
            if topic is None:
                by_id.pop(topic_id, None)
            else:
                by_id[topic_id] = by_name[topic.name] = _in_order(topic)
        return TopicsImage(by_name.finish(), by_id.finish(), by_metric_name.finish())

    def topic(self, topic_id: Uuid) -> TopicImage:
        """A topic as changed so far; KeyError where there is none."""
        found = self._topics[topic_id] if topic_id in self._topics else self.before.by_id[topic_id]
        if found is None:
            raise KeyError(topic_id)
        return found

    def _partitions(self, topic_id: Uuid) -> dict[int, PartitionImage]:
        """A topic's partitions, to be changed in place."""
        own = self._own.get(topic_id)
        if own is None:
            known = self.topic(topic_id)
            own = self._own[topic_id] = dict(known.partitions)
            self._topics[topic_id] = TopicImage(known.name, topic_id, own)
        return own

    # -- records ------------------------------------------------------------------------------------------------

    def replay_topic(self, record: TopicRecord) -> None:
        """A topic without partitions yet."""
        own = self._own[record.topic_id] = {}
        self._topics[record.topic_id] = TopicImage(record.name, record.topic_id, own)
        self._names[record.name] = record.topic_id

    def replay_partition(self, record: PartitionRecord) -> None:
        """A partition, new or told anew in full."""
        self._partitions(record.topic_id)[record.partition_id] = PartitionImage.of(record)

    def replay_partition_change(self, record: PartitionChangeRecord) -> None:
        """Some of a partition's fields."""
        partitions = self._partitions(record.topic_id)
        partitions[record.partition_id] = partitions[record.partition_id].changed_by(record)

    def replay_removal(self, topic_id: Uuid) -> TopicImage:
        """A topic goes, all partitions with it; returns what went."""
        topic = self.topic(topic_id)
        self._topics[topic_id] = self._names[topic.name] = None
        self._own.pop(topic_id, None)
        return topic

    def replay_clear_elr(self, name: str) -> None:
        """Forget the eligible leader replicas of one topic, or of all where the name is empty (KIP-966)."""
        known = list(dict.fromkeys([*(topic.id for topic in self.before), *self._topics]))
        for topic_id in known:
            if topic_id in self._topics and self._topics[topic_id] is None:
                continue
            topic = self.topic(topic_id)
            if name and topic.name != name:
                continue
            for index, partition in topic.partitions.items():
                if partition.elr or partition.last_known_elr:
                    self._partitions(topic_id)[index] = replace(partition, elr=(), last_known_elr=())

    def become(self, target: TopicsImage) -> None:
        """All that differs from a whole other image. What is equal stays the object that it was."""
        for topic in self.before:
            if topic.id not in target.by_id:
                self.replay_removal(topic.id)
        for topic in target:
            known = self.before.by_id.get(topic.id)
            if known is None:
                self._topics[topic.id], self._names[topic.name] = topic, topic.id
            elif known.partitions != topic.partitions:
                partitions = dict(topic.partitions)
                partitions.update((at, one) for at, one in known.partitions.items() if partitions.get(at) == one)
                self._topics[topic.id] = TopicImage(topic.name, topic.id, partitions)


def _in_order(topic: TopicImage) -> TopicImage:
    """The topic with its partitions by index, in whichever order they were told."""
    indexes = list(topic.partitions)
    if all(low < high for low, high in pairwise(indexes)):
        return topic
    return TopicImage(topic.name, topic.id, dict(sorted(topic.partitions.items())))
