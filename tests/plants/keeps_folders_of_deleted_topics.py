"""Never removes the folder of a deleted topic.

**Bug** The folder is renamed, and its files stay for ever.

**Rejected by**
`checks/retention/test_deletion_frees_the_disk.py::test_the_folder_of_a_deleted_topic_goes_after_its_delay`:
s later is in the folders of
"""

from __future__ import annotations

from reference_broker.log.log_directory import LogDirectory


def plant() -> None:
    """Puts it in."""

    def tidy(folder: LogDirectory, now_ms: int, delay_ms: int) -> None:
        for log in folder.logs.values():
            log.tidy(now_ms)

    LogDirectory.tidy = tidy
