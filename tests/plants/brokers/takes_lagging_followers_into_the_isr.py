"""Takes a follower into the ISR that lacks committed records.

**Bug** A follower joins with its first fetch, wherever that begins: if it leads next, committed records are lost.

**Rejected by**
`checks/protocol/test_followers_are_served.py::test_a_follower_joins_the_isr_when_it_has_all`:
answer when a replica not in sync has fetched up to
`python -m harness simulate`: in its ISR, which lacks what is committed
"""

from __future__ import annotations

from reference_broker.environment import Now
from reference_broker.replication.leader import Leader
from reference_broker.replication.replica import Replica


def plant() -> None:
    """Plants it."""

    def expand(self: Leader, replica: Replica, now: Now) -> None:
        if self.isr.pending is None and replica.broker_id not in self.isr.committed:
            self._propose((*self.isr.committed, replica.broker_id), now)

    Leader._expand_isr = expand  # type: ignore[method-assign]
