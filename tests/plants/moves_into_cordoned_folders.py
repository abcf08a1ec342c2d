"""Puts a replica into a folder that is cordoned.

**Bug** AlterReplicaLogDirs does not ask whether the folder is cordoned (KIP-1066).

**Rejected by**
`checks/protocol/test_alter_replica_log_dirs.py::test_a_cordoned_folder_takes_no_replica`:
answer to a move to a cordoned folder
"""

from __future__ import annotations

from reference_broker.replication import partitions


def plant() -> None:
    """Plants it."""
    partitions.cordoned_folders = lambda config: ()  # type: ignore[assignment]
