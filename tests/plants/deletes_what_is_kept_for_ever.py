"""Takes retention.ms=-1 for the shortest time, not for no limit.

**Bug** Topics that keep their records for ever lose them at the next turn of the retention check.

**Rejected by**
`checks/walkthrough/test_retention_is_a_setting.py`:
The log without a limit (start, end) should be (0, 20), and is (20, 20)
`checks/walkthrough/test_how_long_messages_are_kept.py::test_each_topic_keeps_its_messages_for_its_own_time`:
it is not so that the topics start at
"""

from __future__ import annotations

from reference_broker.log import retention
from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.segment import Segment


def plant() -> None:
    """Puts it in."""
    is_expired = retention._is_expired

    def hasty(log: PartitionLog, segment: Segment, now_ms: int) -> bool:
        return log.config.retention_ms < 0 or is_expired(log, segment, now_ms)

    retention._is_expired = hasty
