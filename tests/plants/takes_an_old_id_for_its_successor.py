"""Takes the id of a deleted topic for the topic that has its name now.

**Bug** Ids of deleted topics stay known by their names, so whoever asks by one gets the topic that was made later.

**Rejected by**
`checks/metadata/test_topic_ids.py::test_a_write_by_the_id_of_a_deleted_topic_is_refused`:
The answer to a write by the id of a deleted topic should be
`checks/metadata/test_topic_ids.py::test_a_read_by_the_id_of_a_deleted_topic_is_refused[v13]`:
The answer to a read by the id of a deleted topic should be
`checks/metadata/test_topic_ids.py::test_the_id_of_a_deleted_topic_is_unknown[v12]`:
The answer to the id of a deleted topic should be
`checks/metadata/test_topic_ids.py::test_a_deletion_by_the_id_of_a_deleted_topic_is_refused`:
The answer to a second deletion by one id should be
"""

from __future__ import annotations

from typing import Any

from reference_broker.metadata.topics import TopicImage, TopicsImage
from reference_broker.replication.partition import Partition
from reference_broker.replication.partitions import Partitions
from reference_broker.wire.primitives import Uuid


class LongMemory(dict[Uuid, TopicImage]):
    """Topics by id, of which a deleted one leads to the one that has its name now."""

    def __init__(self, by_name: dict[str, TopicImage]) -> None:
        super().__init__()
        self._by_name = by_name
        self._names: dict[Uuid, str] = {}

    def get(self, key: Uuid, default: Any = None) -> Any:
        return super().get(key) or self._by_name.get(self._names.get(key, ""), default)

    def __contains__(self, key: object) -> bool:
        return self.get(key) is not None

    def __missing__(self, key: Uuid) -> TopicImage:
        return self._by_name[self._names[key]]

    def pop(self, key: Uuid, *default: Any) -> Any:
        topic = self.get(key)
        self._names[key] = topic.name
        return super().pop(topic.id)


def plant() -> None:
    """Puts it in."""
    begin, find_by_id = TopicsImage.__init__, Partitions.find_by_id

    def beginning(topics: TopicsImage) -> None:
        begin(topics)
        topics.by_id = LongMemory(topics.by_name)

    def finding(partitions: Partitions, topic_id: Uuid, index: int) -> Partition | None:
        topic = partitions._controller.image.topics.by_id.get(topic_id)
        return find_by_id(partitions, topic_id if topic is None else topic.id, index)

    TopicsImage.__init__ = beginning
    Partitions.find_by_id = finding
