"""Tells the old assignment while a new generation gathers.

**Bug** SyncGroup does not look whether a rebalance has begun: the member goes on with partitions that another is about
to get.

**Rejected by**
`checks/groups/test_sync_group.py::test_a_group_that_waits_for_members_assigns_nothing[v0]`:
0 == <ErrorCode.REBALANCE_IN_PROGRESS: 27>
"""

from __future__ import annotations

from reference_broker.coordinator.shard import NOTHING, Decision
from reference_broker.groups.answers import synced
from reference_broker.groups.classic_group import State
from reference_broker.groups.membership import Membership
from reference_broker.groups.request import RequestContext
from reference_broker.wire.messages.sync_group_request import SyncGroupRequest


def plant() -> None:
    """Puts it in."""
    decide = Membership.decide_sync

    def late(membership: Membership, request: SyncGroupRequest, ctx: RequestContext) -> Decision:
        group = membership._groups.get(request.group_id)
        if group is None or group.state is not State.PREPARING or request.member_id not in group.members:
            return decide(membership, request, ctx)
        membership._answer(ctx.later, synced(group, group.members[request.member_id]))
        return NOTHING

    Membership.decide_sync = late
