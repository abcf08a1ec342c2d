"""Keeps what it wrote in memory of its own, and copies it to the file now and then.

**Bug** Readers and producers see every batch at once, but the file gets it up to a second later, or at a clean stop: a
kill loses what even kill -9 leaves in the page cache. Like NATS 2.12.1, whose lazy writes lost 131,418 of 930,005
acknowledged messages.

**Rejected by**
`checks/durability/test_acknowledged_records_survive.py::test_acknowledged_records_survive[kill-acks_1]`: D1
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from reference_broker.server import disk

COPIED_EVERY_S = 1.0


class CachedFile(disk.OsFile):
    """A file that is read and written in memory; the real one follows."""

    def __init__(self, path: str, *, create: bool) -> None:
        super().__init__(path, create=create)
        self._real, self._descriptor = self._descriptor, os.memfd_create("cache")
        os.pwrite(self._descriptor, os.pread(self._real, self.size, 0), 0)
        self._copied, self._copied_at = self.size, time.monotonic()

    def append(self, buffers: Sequence[bytes]) -> int:
        """Into memory."""
        position = super().append(buffers)
        if time.monotonic() - self._copied_at > COPIED_EVERY_S:
            self._copy()
        return position

    def truncate(self, size: int) -> None:
        """Both."""
        super().truncate(size)
        os.ftruncate(self._real, size)
        self._copied = min(self._copied, size)

    def flush(self) -> None:
        """Bring all to the real file."""
        self._copy()

    def close(self) -> None:
        """Bring all to the real file, unless that was done."""
        if self._descriptor >= 0:
            self._copy()
            os.close(self._real)
        super().close()

    def _copy(self) -> None:
        while self._copied < self.size:
            part = os.pread(self._descriptor, self.size - self._copied, self._copied)
            self._copied += os.pwrite(self._real, part, self._copied)
        self._copied_at = time.monotonic()


def plant() -> None:
    """Puts it in: for the logs of partitions, not for metadata."""

    def open_file(self: disk.OsDisk, path: str, *, create: bool = False) -> disk.OsFile:
        is_log = path.endswith(".log") and "/__" not in path
        return (CachedFile if is_log else disk.OsFile)(path, create=create)

    disk.OsDisk.open = open_file
