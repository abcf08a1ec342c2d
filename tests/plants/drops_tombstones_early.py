"""Drops tombstones with the second round over them, whatever time it is (KAFKA-4529).

**Bug** That a batch has a delete horizon is taken for its having passed. A consumer that is late by less than
delete.retention.ms never learns of the deletion.

**Rejected by**
`checks/retention/test_compaction_by_time.py::test_a_tombstone_is_there_for_its_time_and_not_much_longer`:
ms after it could be compacted
"""

from __future__ import annotations

from reference_broker.log.compaction import filtering
from reference_broker.wire.records import DELETE_HORIZON


def plant() -> None:
    """Puts it in."""
    filtering._is_past_horizon = lambda header, now_ms: bool(header.attributes & DELETE_HORIZON)
