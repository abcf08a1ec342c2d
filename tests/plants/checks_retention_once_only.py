"""Looks for old segments once after its start, and never again.

**Bug** The check of retention is not planned anew after its first turn.

**Rejected by**
`checks/retention/test_retention_through_faults.py::test_retention_goes_on_after_a_start[restart]`: is still there
"""

from __future__ import annotations

from weakref import WeakSet

from reference_broker.log.log_directory import LogDirectory
from reference_broker.replication.upkeep import Upkeep


def plant() -> None:
    """Puts it in."""
    delete = Upkeep._delete_old_segments
    done: WeakSet[Upkeep] = WeakSet()

    def once(upkeep: Upkeep, folder: LogDirectory, now_ms: int) -> None:
        if upkeep not in done:
            delete(upkeep, folder, now_ms)
            done.add(upkeep)

    Upkeep._delete_old_segments = once
