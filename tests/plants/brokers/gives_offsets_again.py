"""Begins to lead at its high watermark.

**Bug** A new leader cuts off what it does not know to be committed, and gives those offsets to other records, although
all replicas in sync may have had them, and their producers were told so.

**Rejected by**
`python -m harness simulate`: is committed
`python -m harness simulate`: was acknowledged there and never committed
"""

from __future__ import annotations

from reference_broker.environment import Now
from reference_broker.replication.leader import Leader


def plant() -> None:
    """Plants it."""
    plain = Leader._begin_epoch

    def begin(self: Leader, epoch: int, now: Now) -> None:
        self.log.truncate_to(self.log.high_watermark)
        plain(self, epoch, now)

    Leader._begin_epoch = begin  # type: ignore[method-assign]
