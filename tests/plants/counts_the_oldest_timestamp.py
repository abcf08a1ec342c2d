"""Takes the age of a segment from its first record.

**Bug** A segment goes when its first record is older than retention.ms, with younger records in it.

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
    is_expired = retention._is_expired

    def by_the_first(log: PartitionLog, segment: Segment, now_ms: int) -> bool:
        _, header = next(segment.headers_from(0), (0, None))
        limit = log.config.retention_ms
        if header is None or header.base_timestamp < 0 or limit < 0:
            return is_expired(log, segment, now_ms)
        return now_ms - header.base_timestamp > limit

    retention._is_expired = by_the_first
