"""Deletes the first segment although less than retention.bytes is left without it.

**Bug** A segment goes when the whole log, with it, has retention.bytes.

**Rejected by**
`checks/retention/test_each_moment.py::test_each_moment_is_as_the_settings_say[by-size]`:
are deleted before their limit
"""

from __future__ import annotations

from reference_broker.log import retention
from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.segment import Segment


def plant() -> None:
    """Puts it in."""

    def is_surplus(log: PartitionLog, segment: Segment) -> bool:
        return log.size >= log.config.retention_bytes >= 0

    retention._is_surplus = is_surplus
