"""Moves the high watermark while too few replicas are in sync.

**Bug** Readers see records that fewer replicas than min.insync.replicas have (KIP-966).

**Rejected by**
`checks/protocol/test_followers_are_served.py::test_too_few_replicas_in_sync_take_nothing`:
What consumers see while too few replicas are in sync
`python -m harness simulate`: in sync, fewer than 2
"""

from __future__ import annotations

from reference_broker.replication.leader import Leader


def plant() -> None:
    """Plants it."""
    plain = Leader.advance_high_watermark

    def advance(self: Leader) -> bool:
        kept, self.min_isr = self.min_isr, 0
        try:
            return plain(self)
        finally:
            self.min_isr = kept

    Leader.advance_high_watermark = advance  # type: ignore[method-assign]
