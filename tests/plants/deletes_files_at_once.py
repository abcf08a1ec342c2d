"""Ignores file.delete.delay.ms.

**Bug** The files of a segment that is no longer needed are removed at once, under whoever is still reading them.

**Rejected by**
`checks/retention/test_settings_of_segments.py::test_a_setting_counts_for_the_next_segment[file.delete.delay.ms-topic]`:
before it is set False is seen
"""

from __future__ import annotations

from reference_broker.log import retention
from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.segment import Segment


def plant() -> None:
    """Puts it in."""
    plain = retention.doom

    def doom(log: PartitionLog, segment: Segment, now_ms: int, *, keeps_snapshot: bool = False) -> None:
        plain(log, segment, now_ms, keeps_snapshot=keeps_snapshot)
        log.doomed[-1] = (now_ms, log.doomed[-1][1])

    retention.doom = doom
