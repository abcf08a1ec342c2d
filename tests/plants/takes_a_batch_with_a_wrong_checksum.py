"""Appends a batch whose checksum is wrong.

**Bug** Produce does not look at the checksum: what was damaged on the way is acknowledged, and every reader trips over
it.

**Rejected by**
`checks/protocol/test_produced_batches.py::test_a_batch_is_checked[v9-wrong_checksum]`: CORRUPT_MESSAGE
"""

from __future__ import annotations

from reference_broker.wire.records import Batch


def plant() -> None:
    """Puts it in."""
    Batch.crc_is_valid = lambda batch: True
