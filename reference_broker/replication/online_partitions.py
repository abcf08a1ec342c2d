"""The partitions of a broker that are hosted and work, by their topics' names and ids."""

from __future__ import annotations

from collections.abc import Iterator

from reference_broker.replication.folder_news import TopicIdPartition
from reference_broker.replication.partition import Partition
from reference_broker.wire.primitives import Uuid

TopicPartition = tuple[str, int]


class OnlinePartitions:
    """Iterated in the order in which they were opened; while that goes on they may change."""

    def __init__(self) -> None:
        self._by_name: dict[TopicPartition, Partition] = {}
        self._by_id: dict[TopicIdPartition, Partition] = {}

    def __iter__(self) -> Iterator[Partition]:
        return iter(list(self._by_name.values()))

    def __len__(self) -> int:
        return len(self._by_name)

    def get(self, topic: str, index: int) -> Partition | None:
        """One by its topic's name."""
        return self._by_name.get((topic, index))

    def get_by_id(self, topic_id: Uuid, index: int) -> Partition | None:
        """One by its topic's id."""
        return self._by_id.get((topic_id, index))

    def add(self, partition: Partition) -> None:
        """It was opened."""
        self._by_name[partition.topic, partition.index] = partition
        self._by_id[partition.topic_id, partition.index] = partition

    def remove(self, partition: Partition) -> None:
        """It goes, or its folder has failed."""
        del self._by_name[partition.topic, partition.index], self._by_id[partition.topic_id, partition.index]

    def clear(self) -> None:
        """The broker stops."""
        self._by_name.clear()
        self._by_id.clear()
