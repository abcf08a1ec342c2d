"""Leaves a batch out when a consumer reads several.

**Bug** Of two or more batches in one answer to Fetch the last but one is missing. The record is in
the log, and a reader that comes batch by batch sees it.

**Rejected by**
`checks/durability/test_acknowledged_records_survive.py::test_acknowledged_records_survive[no-fault-acks_all]`:
O3 poll-skip
`checks/ordering/test_consumers_see_every_record.py::test_consumers_see_every_record[confluent]`: O3 poll-skip
`checks/ordering/test_consumers_see_every_record.py::test_consumers_see_every_record[aiokafka]`: G9 undelivered
"""

from __future__ import annotations

from reference_broker.log.partition_log import Fetched, PartitionLog
from reference_broker.wire.primitives import FileSlice


def plant() -> None:
    """Puts it in."""
    read = PartitionLog.read

    def gappy(log: PartitionLog, offset: int, max_bytes: int, up_to: int, *, at_least_one_batch: bool) -> Fetched:
        fetched = read(log, offset, max_bytes, up_to, at_least_one_batch=at_least_one_batch)
        ends: list[int] = []
        if fetched.size:
            for batch in log.batches_from(offset):
                ends.append((ends[-1] if ends else 0) + batch.header.size_in_bytes)
                if ends[-1] >= fetched.size:
                    break
        if len(ends) < 2:
            return fetched
        (whole,) = fetched.slices
        before = FileSlice(whole.descriptor, whole.position, ends[-3] if len(ends) > 2 else 0)
        behind = FileSlice(whole.descriptor, whole.position + ends[-2], whole.size - ends[-2])
        parts = tuple(part for part in (before, behind) if part.size)
        return Fetched(parts, sum(part.size for part in parts))

    PartitionLog.read = gappy
