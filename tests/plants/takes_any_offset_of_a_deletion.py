"""Takes every offset of a deletion for one that can be.

**Bug** DeleteRecords beyond the end deletes all there is, and below -1 nothing: a wrong number in a script empties a
topic.

**Rejected by**
`checks/retention/test_delete_records.py::test_an_offset_that_cannot_be_is_refused[v0--2]`:
0 == <ErrorCode.OFFSET_OUT_OF_RANGE: 1>
`checks/retention/test_delete_records.py::test_each_partition_has_an_answer_of_its_own[v0]`:
{0: 0, 1: 0} == {0: <ErrorCod..._OF_RANGE: 1>}
"""

from __future__ import annotations

from reference_broker.replication.partition import HIGH_WATERMARK, Partition


def plant() -> None:
    """Puts it in."""
    delete = Partition.delete_records

    def clamped(partition: Partition, offset: int, *, needs_policy: bool = False) -> int:
        possible = min(max(offset, HIGH_WATERMARK), partition.high_watermark)
        return delete(partition, possible, needs_policy=needs_policy)

    Partition.delete_records = clamped
