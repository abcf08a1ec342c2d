"""Takes all log folders offline when one fails.

**Bug** A full disk takes down what is on the others as well (KIP-112).

**Rejected by**
`checks/durability/test_failed_folders.py::test_other_folders_go_on`: 56 == <ErrorCode.NONE: 0>
"""

from __future__ import annotations

from reference_broker.log.log_directory import LogDirectory
from reference_broker.replication.partitions import Partitions


def plant() -> None:
    """Puts it in."""
    on_failure = Partitions._on_failure

    def broadly(partitions: Partitions, folder: LogDirectory) -> None:
        on_failure(partitions, folder)
        for key in list(partitions._places):
            partitions._lose(key)

    Partitions._on_failure = broadly
