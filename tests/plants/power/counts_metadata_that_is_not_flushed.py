"""A voter counts records of the metadata log as soon as it has written them.

**Bug** The leader of the quorum, and what followers tell it, count the end of the log, flushed or not: a change is
acknowledged that no disk has.

**Rejected by**
`checks/durability/test_slow_disks.py::test_a_topic_whose_creation_was_acknowledged_survives_a_loss_of_power`: M7
"""

from __future__ import annotations

from reference_broker.raft.store import MetadataStore


def plant() -> None:
    """Plants it."""
    MetadataStore.flushed_offset = property(lambda self: self.end_offset)  # type: ignore[method-assign, assignment]
