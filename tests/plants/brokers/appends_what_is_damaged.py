"""Appends a batch of its leader that does not match its checksum.

**Bug** Checksums of replicated batches are not looked at.

**Rejected by**
`checks/protocol/test_leaders_are_followed.py::test_a_damaged_batch_is_not_appended`:
Where the follower goes on after the damage
"""

from __future__ import annotations

from reference_broker.wire.records import Batch


def plant() -> None:
    """Plants it."""
    Batch.crc_is_valid = lambda self: True  # type: ignore[method-assign]
