"""Committed offsets: of a group, for a partition. They change by replay only. Source: KIP-211 (expiry), KIP-447."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from immutables import Map

from reference_broker.state_machine.timeline import Timeline
from reference_broker.wire.messages.offset_commit_key import OffsetCommitKey
from reference_broker.wire.messages.offset_commit_value import OffsetCommitValue
from reference_broker.wire.records import NO_PRODUCER_ID

TopicPartition = tuple[str, int]
KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


@dataclass(frozen=True, slots=True)
class Committed:
    """A committed offset and where its record stands in the log."""

    value: OffsetCommitValue
    record_offset: int

    def is_expired(self, since_ms: int, retention_ms: int, now_ms: int) -> bool:
        """Whether its time is over: its own where an old client set one, else the retention from `since_ms`."""
        if self.value.expire_timestamp != -1:
            return now_ms >= self.value.expire_timestamp
        return now_ms - since_ms >= retention_ms


NO_OFFSETS: Final[Map[int, Committed]] = Map()
NO_TOPICS: Final[Map[str, Map[int, Committed]]] = Map()
NO_PENDING: Final[Map[tuple[str, str, int], Committed]] = Map()
NOTHING_OPEN: Final[Map[TopicPartition, Map[int, None]]] = Map()
NO_PRODUCERS: Final[Map[int, None]] = Map()


class Offsets:
    """The offsets of a shard's groups, and those that open transactions would commit."""

    def __init__(self) -> None:
        self._groups: Timeline[str, Map[str, Map[int, Committed]]] = Timeline()
        self._pending: Timeline[int, Map[tuple[str, str, int], Committed]] = Timeline()
        """Producer id -> what its transaction would commit."""
        self._open: Timeline[str, Map[TopicPartition, Map[int, None]]] = Timeline()
        """Group -> partition -> producer ids with a pending offset for it."""

    def mark(self) -> Any:
        """The present state, for `restore`."""
        return self._groups.mark(), self._pending.mark(), self._open.mark()

    def restore(self, mark: Any) -> None:
        """Be as at a mark."""
        groups, pending, opened = mark
        self._groups.restore(groups)
        self._pending.restore(pending)
        self._open.restore(opened)

    # -- reading ------------------------------------------------------------------------------------------------

    def of_topic(self, group_id: str, topic: str) -> Mapping[int, Committed]:
        """Partition -> offset of one topic; empty where there is none."""
        offsets: Map[int, Committed] = self._groups.get(group_id, NO_TOPICS).get(topic, NO_OFFSETS)
        return offsets

    def of_group(self, group_id: str) -> Iterator[tuple[str, list[tuple[int, Committed]]]]:
        """(topic, offsets by partition) of a group, in order."""
        topics: Map[str, Map[int, Committed]] = self._groups.get(group_id, NO_TOPICS)
        for topic in sorted(topics):
            yield topic, sorted(topics[topic].items())

    def has(self, group_id: str) -> bool:
        """Whether a group has an offset."""
        return group_id in self._groups

    def has_pending(self, group_id: str) -> bool:
        """Whether an open transaction would commit an offset of the group."""
        return group_id in self._open

    def is_pending(self, group_id: str, topic: str, partition: int) -> bool:
        """Whether an open transaction would commit this offset."""
        return (topic, partition) in self._open.get(group_id, NOTHING_OPEN)

    def partitions_to_delete(self, group_id: str) -> list[TopicPartition]:
        """Every partition for which the group has an offset, committed or pending."""
        committed = [(topic, index) for topic, offsets in self.of_group(group_id) for index, _ in offsets]
        known = dict.fromkeys(committed)
        return committed + [one for one in sorted(self._open.get(group_id, NOTHING_OPEN)) if one not in known]

    def of_deleted_topic(self, name: str, topic_id: bytes) -> list[tuple[str, int]]:
        """(group, partition) of every offset that belongs to a topic that is gone, pending ones too."""
        found: dict[tuple[str, int], None] = {}
        for group_id, topics in self._groups.items():
            for index, committed in sorted(topics.get(name, NO_OFFSETS).items()):
                if committed.value.topic_id in (bytes(16), topic_id):
                    found[group_id, index] = None
        for pending in self._pending.values():
            for (group_id, topic, index), committed in sorted(pending.items(), key=lambda one: one[0]):
                if topic == name and committed.value.topic_id in (bytes(16), topic_id):
                    found[group_id, index] = None
        return list(found)

    # -- replay -------------------------------------------------------------------------------------------------

    def replay(
        self, key: OffsetCommitKey, value: OffsetCommitValue | None, record_offset: int, producer_id: int
    ) -> None:
        """One record: an offset, one that waits for its transaction, or a tombstone."""
        where = (key.topic, key.partition)
        if value is None:
            self._remove(key.group, *where)
            for producer in self._open.get(key.group, NOTHING_OPEN).get(where, NO_PRODUCERS):
                self._set_pending(producer, _without(self._pending[producer], (key.group, *where)))
            self._close(key.group, where, None)
        elif producer_id == NO_PRODUCER_ID:
            self._put(key.group, *where, Committed(value, record_offset))
        else:
            pending = self._pending.get(producer_id, NO_PENDING)
            self._set_pending(producer_id, pending.set((key.group, *where), Committed(value, record_offset)))
            opened = self._open.get(key.group, NOTHING_OPEN)
            producers = opened.get(where, NO_PRODUCERS).set(producer_id, None)
            self._open[key.group] = opened.set(where, producers)

    def replay_marker(self, producer_id: int, *, is_commit: bool) -> None:
        """A transaction's end: its offsets count, unless a later record already says otherwise, or are dropped."""
        for (group_id, topic, index), committed in self._pending.pop(producer_id, NO_PENDING).items():
            self._close(group_id, (topic, index), producer_id)
            present = self.of_topic(group_id, topic).get(index)
            if is_commit and (present is None or committed.record_offset > present.record_offset):
                self._put(group_id, topic, index, committed)

    def _set_pending(self, producer_id: int, pending: Map[tuple[str, str, int], Committed]) -> None:
        self._set_or_drop(self._pending, producer_id, pending)

    def _put(self, group_id: str, topic: str, index: int, committed: Committed) -> None:
        topics = self._groups.get(group_id, NO_TOPICS)
        self._groups[group_id] = topics.set(topic, topics.get(topic, NO_OFFSETS).set(index, committed))

    def _remove(self, group_id: str, topic: str, index: int) -> None:
        topics = self._groups.get(group_id, NO_TOPICS)
        if index in topics.get(topic, NO_OFFSETS):
            offsets = topics[topic].delete(index)
            self._set_or_drop(self._groups, group_id, topics.set(topic, offsets) if offsets else topics.delete(topic))

    def _close(self, group_id: str, where: TopicPartition, producer_id: int | None) -> None:
        """A producer has no pending offset for a partition any more; None for any producer."""
        opened = self._open.get(group_id, NOTHING_OPEN)
        if where in opened:
            producers = NO_PRODUCERS if producer_id is None else _without(opened[where], producer_id)
            left = opened.set(where, producers) if producers else opened.delete(where)
            self._set_or_drop(self._open, group_id, left)

    @staticmethod
    def _set_or_drop(timeline: Timeline[Any, Any], key: Any, value: Map[Any, Any]) -> None:
        if value:
            timeline[key] = value
        else:
            timeline.pop(key, None)


def _without(found: Map[KeyT, ValueT], key: KeyT) -> Map[KeyT, ValueT]:
    return found.delete(key) if key in found else found
