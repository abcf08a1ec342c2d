"""Tells how many records a partition has where its bytes are asked for.

**Bug** DescribeLogDirs counts records: an operator who plans disks by it buys far too few.

**Rejected by**
`checks/protocol/test_describe_log_dirs.py::test_sizes_of_partitions_are_told[v5]`:
): 2, where 81 should be
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tests.plants.differences._answers import each, handle_otherwise


def plant() -> None:
    """Puts it in."""

    def counting(request: Any, ctx: Any, usual: Any) -> Any:
        def of_topic(topic: Any) -> Any:
            def of_partition(one: Any) -> Any:
                log = ctx.partitions.get(topic.name, one.partition_index).log
                return replace(one, partition_size=log.log_end_offset - log.log_start_offset)

            return each(topic, "partitions", of_partition)

        return each(usual(request, ctx), "results.topics", of_topic)

    handle_otherwise("describe_log_dirs", counting)
