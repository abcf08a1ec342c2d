"""Hands out empty assignments.

**Bug** What the leader assigned is lost on the way: all members believe that they have nothing to read.

**Rejected by**
`checks/groups/test_sync_group.py::test_a_follower_waits_for_the_leader`: (b'', b'') == (b'l', b'f')
`checks/groups/test_sync_group.py::test_a_member_gets_its_assignment[v0]`: (0, b'') == (<ErrorCode.NONE: 0>, b'all')
`checks/groups/test_sync_group.py::test_the_assignment_is_told_again[v0]`: b'' == b'all'
"""

from __future__ import annotations

from reference_broker.coordinator.shard import Decision
from reference_broker.groups.classic_group import ClassicGroup
from reference_broker.groups.rebalance import Rebalance


def plant() -> None:
    """Puts it in."""
    assign = Rebalance.assign

    def empty(rebalance: Rebalance, group: ClassicGroup, assignments: dict[str, bytes]) -> Decision:
        return assign(rebalance, group, {})

    Rebalance.assign = empty
