"""Tells the log's end as the end of what is committed.

**Bug** ListOffsets tells the log end offset, which followers do not have yet.

**Rejected by**
`checks/protocol/test_followers_are_served.py::test_readers_see_what_the_follower_has`:
end that ListOffsets tells while no follower has anything
`python -m harness simulate`: is told as the end
"""

from __future__ import annotations

from reference_broker.apis import list_offsets
from reference_broker.replication.partition import Partition


def plant() -> None:
    """Plants it."""
    plain = list_offsets._look_up

    def look_up(partition: Partition, timestamp: int, end: int, *, is_client: bool) -> list_offsets.Found:
        return plain(partition, timestamp, partition.log.log_end_offset, is_client=is_client)

    list_offsets._look_up = look_up
