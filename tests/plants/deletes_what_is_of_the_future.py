"""Deletes records that are further in the future than they may be old.

**Bug** The distance from now counts, whether it is past or future.

**Rejected by**
`checks/retention/test_each_moment.py::test_each_moment_is_as_the_settings_say[by-time]`:
are deleted before their limit
"""

from __future__ import annotations

from reference_broker.log import retention
from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.segment import Segment


def plant() -> None:
    """Puts it in."""

    def is_far(log: PartitionLog, segment: Segment, now_ms: int) -> bool:
        return abs(now_ms - segment.max_timestamp) > log.config.retention_ms >= 0

    retention._is_expired = is_far
