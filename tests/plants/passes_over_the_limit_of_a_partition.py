"""Gives more of a partition than was asked for.

**Bug** partition_max_bytes counts for nothing: a consumer that has room for one batch of each partition is given all
of one (KIP-74).

**Rejected by**
`checks/protocol/test_fetch.py::test_a_partitions_limit[v4-1]`: [0, 2, 4] == [0]
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tests.plants.differences._answers import handle_otherwise

LIMIT = 1_000_000


def plant() -> None:
    """Puts it in."""

    def generous(request: Any, ctx: Any, usual: Any) -> Any:
        topics = tuple(
            replace(topic, partitions=tuple(replace(one, partition_max_bytes=LIMIT) for one in topic.partitions))
            for topic in request.topics
        )
        return usual(replace(request, topics=topics), ctx)

    handle_otherwise("fetch", generous)
