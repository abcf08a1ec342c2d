"""Gives members that were left out what another has.

**Bug** A member to which the leader assigned nothing gets the part that is left in memory: two read the same
partitions.

**Rejected by**
`checks/groups/test_sync_group.py::test_who_is_not_in_the_assignment_gets_nothing[v0]`:
(0, b'what is left') == (<ErrorCode.NONE: 0>, b'')
"""

from __future__ import annotations

from reference_broker.coordinator.shard import Decision
from reference_broker.groups.classic_group import ClassicGroup
from reference_broker.groups.rebalance import Rebalance


def plant() -> None:
    """Puts it in."""
    assign = Rebalance.assign

    def generous(rebalance: Rebalance, group: ClassicGroup, assignments: dict[str, bytes]) -> Decision:
        other = next(iter(assignments.values()), b"what is left")
        return assign(rebalance, group, dict.fromkeys(group.members, other) | assignments)

    Rebalance.assign = generous
