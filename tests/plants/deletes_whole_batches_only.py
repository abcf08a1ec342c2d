"""Deletes records only up to the start of a batch.

**Bug** DeleteRecords up to the middle of a batch leaves its first records, and says so.

**Rejected by**
`checks/retention/test_delete_records.py::test_a_topic_without_a_policy[v2]`: (0, 2) == (<ErrorCode.NONE: 0>, 3)
`checks/retention/test_delete_records.py::test_records_are_deleted[v0]`: (0, 2) == (<ErrorCode.NONE: 0>, 3)
"""

from __future__ import annotations

from reference_broker.replication.partition import Partition


def plant() -> None:
    """Puts it in."""
    delete = Partition.delete_records

    def whole(partition: Partition, offset: int, *, needs_policy: bool = False) -> int:
        return delete(partition, offset - offset % 2 if offset > 0 else offset, needs_policy=needs_policy)

    Partition.delete_records = whole
