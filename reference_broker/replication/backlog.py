"""The partitions that the metadata has changed, and that are not yet as it says: some are done at once, some later."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from reference_broker.metadata.topics import PartitionImage, TopicImage
from reference_broker.replication.folder_news import TopicIdPartition


class Backlog:
    """Those with a replica on this broker, in the order in which they changed, and whether each may be new."""

    def __init__(self) -> None:
        self.changed: dict[TopicIdPartition, bool] = {}
        """Whether it is empty is looked at with every request, and without a call."""

    def __bool__(self) -> bool:
        return bool(self.changed)

    def __contains__(self, key: object) -> bool:
        return key in self.changed

    def note(self, node_id: int, topic: TopicImage, images: Iterable[PartitionImage], *, is_new: bool) -> None:
        """Some of a topic's partitions have changed."""
        for image in images:
            if node_id in image.replicas:
                self.changed.setdefault((topic.id, image.index), is_new)

    def first(self, count: int) -> list[TopicIdPartition]:
        """So many of those that changed first."""
        return list(islice(self.changed, count))

    def take(self, key: TopicIdPartition) -> bool:
        """One is done now; whether it may be new."""
        return self.changed.pop(key)

    def put_back(self, key: TopicIdPartition, *, is_new: bool) -> None:
        """One takes longer: somebody who asks for it must not find it missing."""
        self.changed.setdefault(key, is_new)

    def drop(self, key: TopicIdPartition) -> None:
        """One is not hosted any more; no error where it is not behind."""
        self.changed.pop(key, None)
