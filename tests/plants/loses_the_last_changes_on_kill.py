"""Answers that a topic was made or changed before that is on its disk.

**Bug** The metadata log is kept in memory, and copied to its file with some delay, although every record of it must be
flushed before it counts: a kill takes back what was answered.

**Rejected by**
`checks/durability/test_acknowledged_changes_survive.py::test_acknowledged_changes_survive[kill]`:
should have 3 partitions with leaders, and has {}
"""

from __future__ import annotations

from reference_broker.server import disk
from tests.plants.loses_the_unflushed_tail_on_kill import CachedFile


class UnflushedFile(CachedFile):
    """A file that is not flushed when it should be."""

    def flush(self) -> None:
        """Later, perhaps."""


def plant() -> None:
    """Puts it in: for metadata, not for the logs of partitions."""

    def open_file(self: disk.OsDisk, path: str, *, create: bool = False) -> disk.OsFile:
        is_metadata = path.endswith(".log") and "/__cluster_metadata-0/" in path
        return (UnflushedFile if is_metadata else disk.OsFile)(path, create=create)

    disk.OsDisk.open = open_file
