"""Keeps a segment that is wholly beyond retention.bytes.

**Bug** The first segment goes only when those after it have more bytes than are to be kept, not as many.

**Rejected by**
`checks/retention/test_limits_are_exact.py::test_the_limit_is_exact_to_the_byte`: should be 1, and is 0
"""

from __future__ import annotations

from reference_broker.log import retention
from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.segment import Segment


def plant() -> None:
    """Puts it in."""

    def is_surplus(log: PartitionLog, segment: Segment) -> bool:
        limit = log.config.retention_bytes
        return limit >= 0 and log.size - segment.size > limit

    retention._is_surplus = is_surplus
