"""Takes a checkpoint that makes no sense for an empty one.

**Bug** A checkpoint without the entries that it announces counts as one without any: the broker starts, and has
forgotten what stood there.

**Rejected by**
`checks/durability/test_damaged_files.py::test_a_damaged_file_is_repaired_or_refused[high-watermark-cut]`:
the broker refused a damaged high-watermark and ended should be True, and is False
"""

from __future__ import annotations

from reference_broker.environment import Disk
from reference_broker.log import log_directory
from reference_broker.log.checkpoints import TopicPartition


def plant() -> None:
    """Puts it in."""
    read = log_directory.read_offsets

    def believing(disk: Disk, path: str) -> dict[TopicPartition, int]:
        try:
            return read(disk, path)
        except ValueError:
            return {}

    log_directory.read_offsets = believing
