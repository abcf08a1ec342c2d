"""Opens a file with some requests, and never closes it.

**Bug** One batch in ten leaves a descriptor open: after days the broker can accept no connection any more.

**Rejected by**
`checks/durability/test_flat_under_load.py::test_memory_descriptors_and_latency_stay_flat`:
What grew in the second half of the run
"""

from __future__ import annotations

import os
from typing import Any

from reference_broker.log.partition_log import PartitionLog

EVERY = 10


def plant() -> None:
    """Puts it in."""
    write: Any = PartitionLog._write
    written = 0

    def leaking(self: PartitionLog, *batch: Any) -> None:
        nonlocal written
        written += 1
        if written % EVERY == 0:
            os.open(os.devnull, os.O_RDONLY)
        write(self, *batch)

    PartitionLog._write = leaking  # type: ignore[method-assign]
