"""Does not wait for members to join again.

**Differs** A member that joins a group of others is answered at once; Kafka waits for the others to join again.

**Found by** `groups`, level time class: `JoinGroup (pace)`
"""

from __future__ import annotations

from reference_broker.groups.classic_group import ClassicGroup
from reference_broker.groups.rebalance import Rebalance


def plant() -> None:
    """Puts it in."""
    end_join_after = Rebalance._end_join_after

    def hasty(rebalance: Rebalance, group: ClassicGroup, delay_ms: int, now_ms: int) -> None:
        end_join_after(rebalance, group, min(delay_ms, 1), now_ms)

    Rebalance._end_join_after = hasty
