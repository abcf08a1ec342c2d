"""Ignores min.compaction.lag.ms.

**Bug** A record may be compacted away as soon as its segment is closed.

**Rejected by**
`checks/retention/test_compaction_by_time.py::test_what_is_young_stays`:
the last of its key below what cannot be compacted yet
"""

from __future__ import annotations

from reference_broker.log.compaction import plan
from reference_broker.log.partition_log import PartitionLog


def plant() -> None:
    """Puts it in."""
    plan._first_untouchable = lambda log, first_dirty, now_ms: _whatever_its_age(log)


def _whatever_its_age(log: PartitionLog) -> int:
    return min(log.last_stable_offset, log.segments[-1].base_offset)
