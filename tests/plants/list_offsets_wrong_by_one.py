"""Answers a question about a time with the offset after the right one.

**Bug** ListOffsets by timestamp names the record after the first one that is as late as asked for. Like KAFKA-16310 and
KAFKA-16342, where the answer pointed elsewhere in a compressed batch.

**Rejected by**
`checks/ordering/test_offsets_by_time.py::test_offsets_by_time[none]`:
should be (0, 1700000000008), and is (1, 1700000000008)
`checks/protocol/test_list_offsets.py::test_time_zero`: 1 == 0
`checks/protocol/test_log_model.py::test_each_answer_about_a_log_is_allowed`: The model allows another answer
`checks/retention/test_offsets_equal_the_log.py::test_lookups_equal_brute_force[one-segment]`: by time at first
"""

from __future__ import annotations

from dataclasses import replace

from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.time_search import OffsetAtTime


def plant() -> None:
    """Puts it in."""
    find = PartitionLog.offset_at_time

    def one_on(log: PartitionLog, timestamp: int) -> OffsetAtTime | None:
        found = find(log, timestamp)
        return None if found is None else replace(found, offset=found.offset + 1)

    PartitionLog.offset_at_time = one_on
