"""Cuts one good batch too many when it starts after a crash.

**Bug** Recovery takes the last whole batch of each partition for torn, and cuts it off.

**Rejected by**
`checks/durability/test_read_back_after_restart.py::test_read_back_after_restart[kill]`: D8 vanished-read
`python -m harness simulate`: after a start, before it up to
`checks/durability/test_kills_at_any_moment.py::test_every_acknowledged_record_is_there_after_kills_at_any_moment`:
acknowledged records that are not at their offset
"""

from __future__ import annotations

from reference_broker.log import recovery
from reference_broker.log.segment import Segment
from reference_broker.log.steps import Steps


def plant() -> None:
    """Puts it in: for the logs of partitions, not for metadata."""
    recover = recovery.recover_segment

    def careless(segment: Segment) -> Steps[bool]:
        is_whole = yield from recover(segment)
        positions = [position for position, _ in segment.headers_from()]
        if not positions or "/__" in segment.stem:
            return is_whole
        segment.truncate(positions[-1])
        return False

    recovery.recover_segment = careless
