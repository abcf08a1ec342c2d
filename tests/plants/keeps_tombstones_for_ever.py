"""Keeps tombstones for ever (KAFKA-8522).

**Bug** The delete horizon of a batch never passes.

**Rejected by**
`checks/retention/test_compaction_by_time.py::test_a_tombstone_is_there_for_its_time_and_not_much_longer`:
The tombstones after their time and several rounds (offsets) should be []
"""

from __future__ import annotations

from reference_broker.log.compaction import filtering


def plant() -> None:
    """Puts it in."""
    filtering._is_past_horizon = lambda header, now_ms: False
