"""Takes what a loss of power has left of a batch for whole.

**Bug** Recovery does not compare checksums: where a batch was written in part, what the disk has in place of the rest
counts as its records.

**Rejected by**
`checks/durability/test_damaged_files.py::test_a_damaged_file_is_repaired_or_refused[segment-flip]`:
has the checksum of its bytes should be True, and is False
`checks/durability/test_damaged_replicas.py::test_a_damaged_replica_is_copied_again[flip]`:
whose checksum does not fit
`python -m harness simulate`: has a damaged batch at
"""

from __future__ import annotations

from collections.abc import Iterator

from reference_broker.log import recovery
from reference_broker.wire.primitives import Buffer
from reference_broker.wire.records import Batch


class TrustedBatch(Batch):
    """A batch whose checksum is not looked at."""

    def crc_is_valid(self) -> bool:
        """As if it were."""
        return True


def plant() -> None:
    """Puts it in."""
    plain = recovery.iter_batches

    def trusted(data: Buffer) -> Iterator[Batch]:
        return (TrustedBatch(batch.header, batch.data) for batch in plain(data))

    recovery.iter_batches = trusted
