"""Tells the end of the log before it knows what was committed.

**Bug** A new leader answers ListOffsets by its own high watermark, which may be behind what was told before (KIP-207).

**Rejected by**
`checks/protocol/test_leaders_are_followed.py::test_a_new_leader_tells_no_end_before_it_knows`:
(error, offset) before its followers have fetched
`python -m harness simulate`: is told as the end, and before it was
"""

from __future__ import annotations

from reference_broker.replication.partition import Partition


def plant() -> None:
    """Plants it."""
    Partition.is_behind_its_epoch = property(lambda self: False)  # type: ignore[assignment,method-assign]
