"""Moves the start of a log back.

**Bug** DeleteRecords below the start answers the lower offset, and the log starts there: what was deleted seems to be
there again.

**Rejected by**
`checks/retention/test_delete_records.py::test_the_start_does_not_go_back[v0]`: (0, 2) == (<ErrorCode.NONE: 0>, 4)
"""

from __future__ import annotations

from reference_broker.replication.partition import HIGH_WATERMARK, Partition


def plant() -> None:
    """Puts it in."""
    delete = Partition.delete_records

    def back(partition: Partition, offset: int, *, needs_policy: bool = False) -> int:
        answered = delete(partition, offset, needs_policy=needs_policy)
        if offset != HIGH_WATERMARK and offset < answered:
            partition.log.log_start_offset = offset
        return partition.log.log_start_offset

    Partition.delete_records = back
