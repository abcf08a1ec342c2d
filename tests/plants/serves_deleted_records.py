"""Answers DeleteRecords as if it had been done, and goes on serving the records.

**Bug** The low watermark is answered as asked for, but the log's start stays where it was.

**Rejected by**
`checks/retention/test_delete_records.py::test_records_are_deleted`: OFFSET_OUT_OF_RANGE
`checks/protocol/test_log_model.py::test_each_answer_about_a_log_is_allowed`: The model allows another answer
"""

from __future__ import annotations

from reference_broker.replication.partition import Partition


def plant() -> None:
    """Puts it in."""
    delete = Partition.delete_records

    def pretend(partition: Partition, offset: int, *, needs_policy: bool = False) -> int:
        log = partition.log
        start = log.log_start_offset
        answered = delete(partition, offset, needs_policy=needs_policy)
        log.log_start_offset = start
        return answered

    Partition.delete_records = pretend
