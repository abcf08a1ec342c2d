"""Points the cursor of a page past a partition that was not told.

**Bug** DescribeTopicPartitions goes on one partition too late: who describes a large cluster page by page never learns
of some partitions.

**Rejected by**
`checks/metadata/test_describe_topic_partitions.py::test_pages_follow_each_other[two]`:
The list of all partitions, page by page
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.wire.api_keys import ApiKey
from tests.plants.differences._answers import change_answers


def plant() -> None:
    """Puts it in."""

    def later(response: Any) -> Any:
        cursor = response.next_cursor
        if cursor is None:
            return response
        return replace(response, next_cursor=replace(cursor, partition_index=cursor.partition_index + 1))

    change_answers(ApiKey.DESCRIBE_TOPIC_PARTITIONS, later)
