"""Takes the time for retention from how long it has been running, not from its clock.

**Bug** What a clock showed at the start, and the time since then, counts: a clock that is set does not.

**Rejected by**
`checks/retention/test_retention_through_faults.py::test_a_clock_that_is_ahead_makes_records_old`: is still there
"""

from __future__ import annotations

from collections.abc import Iterable

from reference_broker.environment import Now
from reference_broker.log.log_directory import LogDirectory
from reference_broker.replication.upkeep import Upkeep


def plant() -> None:
    """Puts it in."""
    on_time = Upkeep.on_time
    began: list[int] = []

    def from_the_start(upkeep: Upkeep, folders: Iterable[LogDirectory], now: Now) -> None:
        if not began:
            began.append(now.wall_ms - now.monotonic_ms)
        on_time(upkeep, folders, Now(began[0] + now.monotonic_ms, now.monotonic_ms))

    Upkeep.on_time = from_the_start
