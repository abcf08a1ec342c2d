"""Takes what a deleted topic has left for the log of the topic that has its name now.

**Bug** A broker that was down while a topic was deleted and created anew does not look at the topic id of its folder.

**Rejected by**
`checks/retention/test_deletion_frees_the_disk.py::test_a_node_that_was_away_brings_nothing_back`:
The number of different replicas of the new topic
"""

from __future__ import annotations

from reference_broker.log.checkpoints import write_topic_id
from reference_broker.log.folder_names import folder_of
from reference_broker.log.log_directory import LogDirectory
from reference_broker.metadata.image import MetadataImage
from reference_broker.replication.placement import Placement


def plant() -> None:
    """Plants it."""
    belongs = Placement._belongs_here

    def by_name(self: Placement, folder: LogDirectory, topic: str, index: int, image: MetadataImage) -> bool:
        found = image.topics.get(topic)
        if found is not None:
            write_topic_id(folder.disk, f"{folder.path}/{folder_of(topic, index)}", found.id)
        return belongs(self, folder, topic, index, image)

    Placement._belongs_here = by_name  # type: ignore[method-assign]
