"""Begins a new generation whoever joins again.

**Bug** A follower that only lost the answer to its JoinGroup makes all others join again, and so the group never comes
to rest.

**Rejected by**
`checks/groups/test_join_group.py::test_a_follower_that_joins_again_unchanged_stays[v3]`: At index 1 diff: 3 != 2
"""

from __future__ import annotations

from reference_broker.coordinator.shard import Decision
from reference_broker.groups.classic_group import ClassicGroup, State
from reference_broker.groups.joining import Joining
from reference_broker.groups.request import RequestContext
from reference_broker.wire.messages.join_group_request import JoinGroupRequest


def plant() -> None:
    """Puts it in."""
    join_again = Joining._join_again

    def restless(joining: Joining, group: ClassicGroup, request: JoinGroupRequest, ctx: RequestContext) -> Decision:
        member = group.members.get(request.member_id)
        if member is None or group.state is not State.STABLE:
            return join_again(joining, group, request, ctx)
        joining._update(group, member, request, ctx)
        return joining._rebalance.begin_or_go_on(group, ctx.now)

    Joining._join_again = restless
