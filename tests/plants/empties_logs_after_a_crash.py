"""Begins with empty logs after a crash.

**Bug** A log that was not closed cleanly is taken for damaged as a whole, and cut to nothing.

**Rejected by**
`checks/durability/test_failed_folders.py::test_what_was_acknowledged_is_there_again_after_a_restart`:
[] == ['acknowledged']
`checks/durability/test_read_back_after_restart.py::test_read_back_after_restart[kill]`: D1 unseen
"""

from __future__ import annotations

from reference_broker.log import recovery
from reference_broker.log.segment import Segment
from reference_broker.log.steps import Steps


def plant() -> None:
    """Puts it in: for the logs of partitions, not for Kafka's own topics."""
    recover = recovery.recover_segment

    def thorough(segment: Segment) -> Steps[bool]:
        is_whole = yield from recover(segment)
        if "/__" in segment.stem:
            return is_whole
        segment.truncate(0)
        return False

    recovery.recover_segment = thorough
