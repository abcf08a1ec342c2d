"""Refuses the whole assignment where it names a stranger.

**Bug** A member that left between JoinGroup and SyncGroup makes the leader's assignment invalid, and the group begins
again and again.

**Rejected by**
`checks/groups/test_sync_group.py::test_an_assignment_to_a_stranger[v0]`: (25, b'') == (<ErrorCode.NONE: 0>, b'x')
"""

from __future__ import annotations

from reference_broker.coordinator.shard import Decision
from reference_broker.groups.classic_group import ClassicGroup
from reference_broker.groups.rebalance import Rebalance
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.refusal import KafkaError


def plant() -> None:
    """Puts it in."""
    assign = Rebalance.assign

    def strict(rebalance: Rebalance, group: ClassicGroup, assignments: dict[str, bytes]) -> Decision:
        if any(member_id not in group.members for member_id in assignments):
            raise KafkaError(ErrorCode.UNKNOWN_MEMBER_ID)
        return assign(rebalance, group, assignments)

    Rebalance.assign = strict
