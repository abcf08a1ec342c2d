"""Takes over a high watermark that is beyond its own log.

**Bug** A follower's high watermark is its leader's, also where its log ends before; as leader it tells an end that it
has not.

**Rejected by**
`checks/protocol/test_leaders_are_followed.py::test_a_high_watermark_is_not_beyond_the_log`:
high watermark of a leader whose log ends at 2
"""

from __future__ import annotations

from reference_broker.log.partition_log import PartitionLog


def plant() -> None:
    """Plants it."""

    def believe(self: PartitionLog, offset: int) -> None:
        self.high_watermark = offset

    PartitionLog.set_high_watermark = believe  # type: ignore[method-assign]
