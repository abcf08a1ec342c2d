"""Looks for a time from the last segment on.

**Bug** The last segment that is new enough is searched, not the first.

**Rejected by**
`checks/retention/test_offsets_equal_the_log.py::test_lookups_equal_brute_force[many-segments]`: by time at first
"""

from __future__ import annotations

from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.time_search import OffsetAtTime, first_at


def plant() -> None:
    """Puts it in."""

    def offset_at_time(log: PartitionLog, timestamp: int) -> OffsetAtTime | None:
        return first_at(log.segments[::-1], timestamp, log.log_start_offset)

    PartitionLog.offset_at_time = offset_at_time
