"""Counts deleted segments among a partition's bytes, until their files are gone.

**Bug** DescribeLogDirs tells more than is in the log.

**Rejected by**
`checks/retention/test_deletion_frees_the_disk.py::test_files_of_deleted_segments_go_after_their_delay`:
Bytes then (told, in files) should be
"""

from __future__ import annotations

from reference_broker.log.partition_log import PartitionLog


def plant() -> None:
    """Puts it in."""

    def size(log: PartitionLog) -> int:
        return sum(segment.size for segment in (*log.segments, *(gone for _, gone in log.doomed)))

    PartitionLog.size = property(size)
