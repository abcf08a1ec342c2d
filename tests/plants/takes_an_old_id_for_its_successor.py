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

from dataclasses import replace

from reference_broker.metadata.topics import TopicImage, TopicsImage
from reference_broker.metadata.topics_delta import TopicsDelta
from reference_broker.replication.partition import Partition
from reference_broker.replication.partitions import Partitions
from reference_broker.wire.primitives import Uuid


def plant() -> None:
    """Puts it in."""
    after, removal, find_by_id = TopicsDelta.after, TopicsDelta.replay_removal, Partitions.find_by_id
    names: dict[Uuid, str] = {}

    def with_old_ids(delta: TopicsDelta) -> TopicsImage:
        topics = after(delta)
        names.update({change.before.id: change.before.name for change in delta.changes().values() if change.before})
        old = {topic_id: topics.by_name[name] for topic_id, name in names.items() if name in topics.by_name}
        return replace(topics, by_id=topics.by_id.update(old))

    def removing(delta: TopicsDelta, topic_id: Uuid) -> TopicImage:
        return removal(delta, delta.topic(topic_id).id)

    def finding(partitions: Partitions, topic_id: Uuid, index: int) -> Partition | None:
        topic = partitions._publisher.image.topics.by_id.get(topic_id)
        return find_by_id(partitions, topic_id if topic is None else topic.id, index)

    TopicsDelta.after = with_old_ids  # type: ignore[method-assign]
    TopicsDelta.replay_removal = removing  # type: ignore[method-assign]
    Partitions.find_by_id = finding  # type: ignore[method-assign]
