"""Takes for committed what one voter has.

**Bug** The high watermark is the highest log end, not that of a majority.

**Rejected by**
`python -m harness simulate`: below what is committed
`python -m harness simulate`: was committed as
"""

from __future__ import annotations

from reference_broker.raft.leader import Leader


def plant() -> None:
    """Plants it."""

    def highest(self: Leader) -> int:
        return max(progress.end_offset for progress in self.voters.values())

    Leader.majority_offset = highest  # type: ignore[method-assign]
