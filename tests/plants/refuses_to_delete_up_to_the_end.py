"""Refuses to delete all records of a partition.

**Bug** DeleteRecords takes the high watermark itself for an offset that cannot be: the last record can never be
deleted.

**Rejected by**
`checks/retention/test_delete_records.py::test_an_empty_partition`: (1, -1) == (<ErrorCode.NONE: 0>, 0)
`checks/retention/test_delete_records.py::test_minus_one_means_all[v0]`: -1 == 6
"""

from __future__ import annotations

from reference_broker.replication.partition import HIGH_WATERMARK, Partition
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.refusal import KafkaError


def plant() -> None:
    """Puts it in."""
    delete = Partition.delete_records

    def short(partition: Partition, offset: int, *, needs_policy: bool = False) -> int:
        if offset in (HIGH_WATERMARK, partition.high_watermark):
            raise KafkaError(ErrorCode.OFFSET_OUT_OF_RANGE)
        return delete(partition, offset, needs_policy=needs_policy)

    Partition.delete_records = short
