"""Ignores max.compaction.lag.ms.

**Bug** Only how much is dirty counts, not for how long: what must be gone by law stays in a log that is seldom written.

**Rejected by**
`checks/retention/test_compaction_by_time.py::test_what_has_waited_too_long_is_compacted`: are still there
"""

from __future__ import annotations

from reference_broker.log.compaction.plan import Plan


def plant() -> None:
    """Puts it in."""
    Plan.is_wanted = lambda self, least_ratio: bool(self.dirty_bytes) and self.dirty_ratio > least_ratio  # type: ignore[method-assign]
