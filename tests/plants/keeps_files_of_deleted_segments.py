"""Never removes the files of deleted segments.

**Bug** Files stay with the suffix .deleted, and the disk fills up.

**Rejected by**
`checks/retention/test_deletion_frees_the_disk.py::test_files_of_deleted_segments_go_after_their_delay`:
s later is in the folders of
"""

from __future__ import annotations

from reference_broker.log.partition_log import PartitionLog


def plant() -> None:
    """Puts it in."""
    PartitionLog.tidy = lambda log, now_ms: None
