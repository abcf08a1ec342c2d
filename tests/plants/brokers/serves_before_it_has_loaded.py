"""A coordinator serves when it has loaded the first part of its log.

**Bug** A new coordinator takes the first slice of its partition of __consumer_offsets for all of it: what was committed
later is not known, and older offsets come back.

**Rejected by**
`checks/groups/test_coordinators_fail_over.py::test_a_member_goes_on_when_its_coordinator_dies`: was acknowledged
"""

from __future__ import annotations

from typing import Any

from reference_broker.coordinator.led_partition import LedPartition, Phase


def plant() -> None:
    """Puts it in."""
    load = LedPartition.load

    def hasty(led: LedPartition[Any], max_records: int, now: Any) -> int:
        count = load(led, max_records, now)
        if led.phase is Phase.LOADING:
            led.enter(Phase.ACTIVE)
        return count

    LedPartition.load = hasty  # type: ignore[method-assign]
