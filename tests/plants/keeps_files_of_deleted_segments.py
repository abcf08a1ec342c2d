"""Never removes the files of deleted segments.

**Bug** Files stay with the suffix .deleted, and the disk fills up.

**Rejected by**
`checks/retention/test_deletion_frees_the_disk.py::test_files_of_deleted_segments_go_after_their_delay`:
s later is in the folders of
`checks/walkthrough/test_the_disk_is_full.py::test_shorter_retention_and_a_limit_bring_the_space_back`:
it is not so that half of it is free
"""

from __future__ import annotations

from reference_broker.log.partition_log import PartitionLog


def plant() -> None:
    """Puts it in."""
    PartitionLog.tidy = lambda log, now_ms: None
