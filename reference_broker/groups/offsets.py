"""Committed offsets: of a group, for a partition. They change by replay only. Source: KIP-211 (expiry), KIP-447."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from reference_broker.wire.messages.offset_commit_key import OffsetCommitKey
from reference_broker.wire.messages.offset_commit_value import OffsetCommitValue
from reference_broker.wire.records import NO_PRODUCER_ID

TopicPartition = tuple[str, int]


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


NO_OFFSETS: Final[dict[int, Committed]] = {}


class Offsets:
    """The offsets of a shard's groups, and those that open transactions would commit."""

    def __init__(self) -> None:
        self._groups: dict[str, dict[str, dict[int, Committed]]] = {}
        self._pending: dict[int, dict[tuple[str, str, int], Committed]] = {}
        """Producer id -> what its transaction would commit."""
        self._open: dict[str, dict[TopicPartition, dict[int, None]]] = {}
        """Group -> partition -> producer ids with a pending offset for it."""

    # -- reading ------------------------------------------------------------------------------------------------

    def of_topic(self, group_id: str, topic: str) -> dict[int, Committed]:
        """Partition -> offset of one topic; empty where there is none."""
        return self._groups.get(group_id, {}).get(topic, NO_OFFSETS)

    def of_group(self, group_id: str) -> Iterator[tuple[str, dict[int, Committed]]]:
        """(topic, offsets by partition) of a group."""
        yield from self._groups.get(group_id, {}).items()

    def has(self, group_id: str) -> bool:
        """Whether a group has an offset."""
        return group_id in self._groups

    def has_pending(self, group_id: str) -> bool:
        """Whether an open transaction would commit an offset of the group."""
        return group_id in self._open

    def is_pending(self, group_id: str, topic: str, partition: int) -> bool:
        """Whether an open transaction would commit this offset."""
        return (topic, partition) in self._open.get(group_id, {})

    def partitions_to_delete(self, group_id: str) -> list[TopicPartition]:
        """Every partition for which the group has an offset, committed or pending."""
        committed = [(topic, index) for topic, offsets in self.of_group(group_id) for index in offsets]
        known = dict.fromkeys(committed)
        return committed + [one for one in self._open.get(group_id, {}) if one not in known]

    def of_deleted_topic(self, name: str, topic_id: bytes) -> list[tuple[str, int]]:
        """(group, partition) of every offset that belongs to a topic that is gone, pending ones too."""
        found: dict[tuple[str, int], None] = {}
        for group_id, topics in self._groups.items():
            for index, committed in topics.get(name, NO_OFFSETS).items():
                if committed.value.topic_id in (bytes(16), topic_id):
                    found[group_id, index] = None
        for pending in self._pending.values():
            for (group_id, topic, index), committed in pending.items():
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
            for producer in self._open.get(key.group, {}).get(where, ()):
                self._pending.get(producer, {}).pop((key.group, *where), None)
            self._close(key.group, where)
        elif producer_id == NO_PRODUCER_ID:
            self._put(key.group, *where, Committed(value, record_offset))
        else:
            self._pending.setdefault(producer_id, {})[key.group, *where] = Committed(value, record_offset)
            self._open.setdefault(key.group, {}).setdefault(where, {})[producer_id] = None

    def replay_marker(self, producer_id: int, *, is_commit: bool) -> None:
        """A transaction's end: its offsets count, unless a later record already says otherwise, or are dropped."""
        for (group_id, topic, index), committed in self._pending.pop(producer_id, {}).items():
            producers = self._open.get(group_id, {}).get((topic, index), {})
            producers.pop(producer_id, None)
            if not producers:
                self._close(group_id, (topic, index))
            present = self.of_topic(group_id, topic).get(index)
            if is_commit and (present is None or committed.record_offset > present.record_offset):
                self._put(group_id, topic, index, committed)

    def _put(self, group_id: str, topic: str, index: int, committed: Committed) -> None:
        self._groups.setdefault(group_id, {}).setdefault(topic, {})[index] = committed

    def _remove(self, group_id: str, topic: str, index: int) -> None:
        topics = self._groups.get(group_id, {})
        offsets = topics.get(topic)
        if offsets is not None:
            offsets.pop(index, None)
            if not offsets:
                del topics[topic]
            if not topics:
                del self._groups[group_id]

    def _close(self, group_id: str, where: TopicPartition) -> None:
        partitions = self._open.get(group_id)
        if partitions is not None:
            partitions.pop(where, None)
            if not partitions:
                del self._open[group_id]
