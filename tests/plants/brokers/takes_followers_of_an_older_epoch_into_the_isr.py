"""Takes a follower into the ISR that has nothing of the leader's epoch.

**Bug** A follower joins with the high watermark that the leader knows at its election, which may be behind what was
committed before: the start of the leader's epoch is not looked at.

**Rejected by**
`python -m harness simulate`: into its ISR, which lacks what is committed
`python -m harness simulate`: in its ISR, which lacks what is committed
"""

from __future__ import annotations

from reference_broker.environment import Now
from reference_broker.replication.leader import Leader
from reference_broker.replication.replica import Replica


def plant() -> None:
    """Plants it."""

    def expand(self: Leader, replica: Replica, now: Now) -> None:
        if self.isr.pending is not None or replica.broker_id in self.isr.committed:
            return
        may_join = self._local.may_be_in_sync(replica.broker_id, replica.broker_epoch)
        if may_join and replica.log_end_offset >= self.log.high_watermark:
            self._propose((*self.isr.committed, replica.broker_id), now)

    Leader._expand_isr = expand  # type: ignore[method-assign]
