"""Forgets after a restart where a log starts, so that deleted records come back.

**Bug** DeleteRecords raises the log's start in memory only: the checkpoint of log starts is written empty. Kafka keeps
the start in log-start-offset-checkpoint.

**Rejected by**
`checks/durability/test_deleted_records_stay_deleted.py`: (its start, its end) should be (12, 30), and is (0, 30)
"""

from __future__ import annotations

from reference_broker.log.log_directory import LogDirectory


def plant() -> None:
    """Puts it in."""
    LogDirectory.checkpoint_log_starts = lambda folder: None
