"""Acknowledges records of a topic with flush.messages=1 before they are on the disk.

**Bug** flush.messages is passed over: records are on the disk when their file is full, or the system writes it.

**Rejected by**
`checks/durability/test_power_loss.py::test_flushed_records_survive_a_loss_of_power_of_all_nodes`: D1 lost-write
"""

from __future__ import annotations

from typing import Any

from reference_broker.log.config import LONG_MAX
from reference_broker.log.partition_log import PartitionLog


def plant() -> None:
    """Plants it."""
    write: Any = PartitionLog._write

    def lazily(self: PartitionLog, *batch: Any) -> None:
        recovery_point, self.recovery_point = self.recovery_point, LONG_MAX
        try:
            write(self, *batch)
        finally:
            self.recovery_point = recovery_point

    PartitionLog._write = lazily  # type: ignore[method-assign]
