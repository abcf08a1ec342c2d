"""Deletes records that are exactly retention.ms old.

**Bug** A segment goes when its largest timestamp is retention.ms old, a millisecond before it may.

**Rejected by**
`checks/retention/test_limits_are_exact.py::test_the_limit_is_exact_to_the_millisecond`:
(its start, its end) should be (0, 1), and is (1, 1)
"""

from __future__ import annotations

from reference_broker.log import retention
from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.segment import Segment


def plant() -> None:
    """Puts it in."""
    is_expired = retention._is_expired

    def early(log: PartitionLog, segment: Segment, now_ms: int) -> bool:
        return is_expired(log, segment, now_ms + 1)

    retention._is_expired = early
