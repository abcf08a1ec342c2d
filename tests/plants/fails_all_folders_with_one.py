"""Takes all log folders offline when one fails.

**Bug** A full disk takes down what is on the others as well (KIP-112).

**Rejected by**
`checks/durability/test_failed_folders.py::test_other_folders_go_on`: 56 == <ErrorCode.NONE: 0>
"""

from __future__ import annotations

from reference_broker.log.log_directory import LogDirectory
from reference_broker.replication.placement import Placement, TopicPartition


def plant() -> None:
    """Puts it in."""
    lose = Placement.lose

    def broadly(placement: Placement, folder: LogDirectory) -> list[TopicPartition]:
        lost = [*lose(placement, folder), *placement.places]
        placement.places.clear()
        return lost

    Placement.lose = broadly
