"""Mistakes the policies under which records may be deleted.

**Bug** DeleteRecords is refused where cleanup.policy has delete, or nothing, and done where it is compact alone: the
latest values of keys are gone.

**Rejected by**
`checks/retention/test_delete_records.py::test_a_compacted_topic_keeps_its_records[v0]`:
0 == <ErrorCode.POLICY_VIOLATION: 44>
`checks/retention/test_delete_records.py::test_a_topic_that_is_compacted_and_deleted[v0]`:
(44, -1) == (<ErrorCode.NONE: 0>, 3)
"""

from __future__ import annotations

from reference_broker.log.config import LogConfig
from reference_broker.replication.partition import Partition


def plant() -> None:
    """Puts it in: for topics whose policy was set."""
    delete = Partition.delete_records

    def mistaken(partition: Partition, offset: int, *, needs_policy: bool = False) -> int:
        config = partition.log.config
        if config.has_deletion and not config.is_compacted:
            return delete(partition, offset, needs_policy=needs_policy)
        is_compacted, has_deletion = LogConfig.is_compacted, LogConfig.has_deletion
        LogConfig.is_compacted = property(lambda own: True)
        LogConfig.has_deletion = property(lambda own: config.is_compacted and not has_deletion.fget(config))
        try:
            return delete(partition, offset, needs_policy=needs_policy)
        finally:
            LogConfig.is_compacted, LogConfig.has_deletion = is_compacted, has_deletion

    Partition.delete_records = mistaken
