"""Tells all partitions at once, however few were asked for.

**Bug** DescribeTopicPartitions does not look at response_partition_limit: a client with little memory gets the whole of
a large cluster.

**Rejected by**
`checks/metadata/test_describe_topic_partitions.py::test_pages_follow_each_other[one]`:
page 1 of at most 1 partitions has 5
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tests.plants.differences._answers import handle_otherwise


def plant() -> None:
    """Puts it in."""

    def boundless(request: Any, ctx: Any, usual: Any) -> Any:
        return usual(replace(request, response_partition_limit=2**31 - 1), ctx)

    handle_otherwise("describe_topic_partitions", boundless)
