"""Ignores min.cleanable.dirty.ratio.

**Bug** A log is rewritten for every record that is dirty: what a round costs is paid without end.

**Rejected by**
`checks/retention/test_compaction_by_time.py::test_a_log_is_compacted_when_enough_of_it_is_dirty`:
What was compacted away while a fifth of the log was dirty (offsets) should be [0]
`checks/retention/test_compaction_by_time.py::test_what_has_waited_too_long_is_compacted`:
before max.compaction.lag.ms had passed
"""

from __future__ import annotations

from reference_broker.log.compaction.plan import Plan


def plant() -> None:
    """Puts it in."""
    Plan.is_wanted = lambda self, least_ratio: bool(self.dirty_bytes)  # type: ignore[method-assign]
