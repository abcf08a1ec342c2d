"""Deletes nothing, however old or large a log is.

**Bug** The check of retention comes to nothing.

**Rejected by**
`checks/retention/test_each_moment.py::test_each_moment_is_as_the_settings_say[by-time]`: is still there
`checks/retention/test_each_moment.py::test_each_moment_is_as_the_settings_say[by-size]`:
is still there
"""

from __future__ import annotations

from reference_broker.log import retention
from reference_broker.log.partition_log import PartitionLog


def plant() -> None:
    """Puts it in."""

    def delete_old_segments(log: PartitionLog, now_ms: int) -> int:
        return retention.delete_below_start(log, now_ms)

    retention.delete_old_segments = delete_old_segments
