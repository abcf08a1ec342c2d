"""Leaves the last partition of a topic out of Metadata.

**Bug** Clients are told of one partition less than there is: nobody writes to it, and what is in it is not read.

**Rejected by**
`checks/metadata/test_metadata.py::test_a_topic_is_found_by_name`: [0, 1] == [0, 1, 2]
`checks/walkthrough/test_topics.py::test_a_topic_has_the_partitions_that_were_asked_for`:
should have 3 partitions with leaders, and has {0: 1, 1: 1}
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.apis import metadata
from reference_broker.wire.messages.metadata_response import MetadataResponseTopic


def plant() -> None:
    """Puts it in."""
    described = metadata._described

    def short(*arguments: Any) -> MetadataResponseTopic:
        topic = described(*arguments)
        return replace(topic, partitions=topic.partitions[:-1] if len(topic.partitions) > 1 else topic.partitions)

    metadata._described = short
