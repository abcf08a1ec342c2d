"""Lets a log start within a segment.

**Bug** When retention has deleted segments the log starts one record after the first of those that are left.

**Rejected by**
`checks/retention/test_each_moment.py::test_each_moment_is_as_the_settings_say[by-time]`:
where no segment begins and no deletion was asked for
"""

from __future__ import annotations

from reference_broker.log import retention
from reference_broker.log.partition_log import PartitionLog


def plant() -> None:
    """Puts it in."""
    delete = retention.delete_old_segments

    def delete_old_segments(log: PartitionLog, now_ms: int) -> int:
        count = delete(log, now_ms)
        if count and log.log_end_offset > log.log_start_offset:
            log.raise_log_start(log.log_start_offset + 1)
        return count

    retention.delete_old_segments = delete_old_segments
