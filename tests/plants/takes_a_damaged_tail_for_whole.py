"""Takes a batch that a crash has damaged for whole.

**Bug** Recovery reads the headers of batches and not their bytes: the last batch of each partition, which the crash has
damaged, is served with a checksum that is not its own.

**Rejected by**
`checks/durability/test_read_back_after_restart.py::test_a_log_is_whole_after_a_restart[kill]`:
has the checksum of its bytes should be True, and is False
`checks/durability/test_damaged_files.py::test_a_damaged_file_is_repaired_or_refused[segment-flip]`:
has the checksum of its bytes should be True, and is False
`checks/durability/test_kills_at_any_moment.py::test_every_acknowledged_record_is_there_after_kills_at_any_moment`:
has the checksum of its bytes should be True, and is False
"""

from __future__ import annotations

from reference_broker.log import recovery
from reference_broker.log.segment import Segment
from reference_broker.log.steps import Steps
from reference_broker.wire.records import CRC_AT


def plant() -> None:
    """Puts it in, and the damage with it: for the logs of partitions, not for Kafka's own topics."""
    recover = recovery.recover_segment

    def trusting(segment: Segment) -> Steps[bool]:
        is_whole = yield from recover(segment)
        positions = [position for position, _ in segment.headers_from()]
        if positions and "/__" not in segment.stem:
            with open(f"{segment.stem}.log", "r+b") as file:
                file.seek(positions[-1] + CRC_AT)
                (byte,) = file.read(1)
                file.seek(positions[-1] + CRC_AT)
                file.write(bytes([byte ^ 1]))
        return is_whole

    recovery.recover_segment = trusting
