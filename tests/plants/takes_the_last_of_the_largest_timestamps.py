"""Finds the last of several records with the max timestamp.

**Bug** Of records with equal timestamps the last is told, where KIP-734 and Kafka tell the first.

**Rejected by**
`checks/retention/test_offsets_equal_the_log.py::test_lookups_equal_brute_force[one-segment]`:
of the max timestamp at first
"""

from __future__ import annotations

from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.time_search import OffsetAtTime


def plant() -> None:
    """Puts it in."""
    find = PartitionLog.offset_of_max_timestamp

    def last(log: PartitionLog) -> OffsetAtTime | None:
        found = find(log)
        if found is None:
            return None
        for batch in log.batches_from(found.offset):
            for record in batch.records():
                if record.timestamp == found.timestamp:
                    found = OffsetAtTime(record.offset, record.timestamp, batch.header.partition_leader_epoch)
        return found

    PartitionLog.offset_of_max_timestamp = last
