"""Tells the time that was asked for, not the record's.

**Differs** ListOffsets by time answers the right offset with the timestamp of the question.

**Found by** `log`, level fields: `ListOffsets topics[].partitions[].timestamp`
"""

from __future__ import annotations

from typing import Any

from reference_broker.apis import list_offsets


def plant() -> None:
    """Puts it in."""
    look_up = list_offsets._look_up

    def echoed(partition: Any, timestamp: int, end: int, *, is_client: bool) -> Any:
        offset, found, epoch = look_up(partition, timestamp, end, is_client=is_client)
        return offset, timestamp if found >= 0 and timestamp >= 0 else found, epoch

    list_offsets._look_up = echoed
