"""Takes no notice of a disk that is full: what it could not write is acknowledged.

**Bug** An error of a write is passed over, and the log goes on as if the batch were there: after a restart it is not.

**Rejected by**
`checks/durability/test_full_disks.py::test_acknowledged_records_survive_a_full_disk[acks_1]`: D1
"""

from __future__ import annotations

from collections.abc import Sequence

from reference_broker.server import disk
from reference_broker.wire.primitives import Buffer


def plant() -> None:
    """Puts it in."""
    write = disk.OsFile.append

    def careless(self: disk.OsFile, buffers: Sequence[Buffer]) -> int:
        position = self.size
        try:
            return write(self, buffers)
        except OSError:
            self._size = position + sum(map(len, buffers))
            return position

    disk.OsFile.append = careless
