"""Says that a log is durable up to its end, though only a part is.

**Bug** The recovery point is written as the log's end, flushed or not: after a loss of power what stands before it is
trusted, and is not read.

**Rejected by**
`checks/durability/test_logs_after_power_loss.py::test_a_log_is_whole_after_losses_of_power[not_flushed]`:
has the checksum of its bytes should be True, and is False
"""

from __future__ import annotations

from reference_broker.log import recovery
from reference_broker.log.segment import Segment


def plant() -> None:
    """Puts it in, for the logs of partitions: what stands before such a point is taken by its headers."""
    recover = recovery.recover_segment

    def trusting(segment: Segment) -> bool:
        if "/__" in segment.stem:
            return recover(segment)
        end = 0
        segment.forget()
        for position, header in segment.headers_from():
            if header.size_in_bytes <= 0 or header.base_offset < segment.next_offset:
                break
            segment.note(header, position)
            end = position + header.size_in_bytes
        return end == segment.size or recover(segment)

    recovery.recover_segment = trusting
