"""Ignores segment.ms.

**Bug** A segment is closed when it is full, and never because it is old: nothing of a topic that is seldom written is
deleted or compacted.

**Rejected by**
`checks/retention/test_settings_of_segments.py::test_a_setting_counts_for_the_next_segment[segment.ms-topic]`:
while it is set False is seen
"""

from __future__ import annotations

from reference_broker.log.config import LONG_MAX
from reference_broker.log.rolling import Rolling
from reference_broker.log.segment import Segment
from reference_broker.wire.records import BatchHeader


def plant() -> None:
    """Puts it in."""
    plain = Rolling.is_due

    def is_due(self: Rolling, segment: Segment, header: BatchHeader, end_offset: int, now_ms: int) -> bool:
        self._most_ms = LONG_MAX
        return plain(self, segment, header, end_offset, now_ms)

    Rolling.is_due = is_due  # type: ignore[method-assign]
