"""Keeps the generation when the leader joins again.

**Bug** A leader that joins again, since the topics that it reads have more partitions, is told the present generation:
nobody reads the new partitions.

**Rejected by**
`checks/groups/test_join_group.py::test_a_leader_that_joins_again_begins_a_generation[v3]`:
(0, 1) == (<ErrorCode.NONE: 0>, 2)
"""

from __future__ import annotations

from reference_broker.coordinator.shard import NOTHING, Decision
from reference_broker.groups.answers import joined_as_is
from reference_broker.groups.classic_group import ClassicGroup, State
from reference_broker.groups.joining import Joining
from reference_broker.groups.request import RequestContext
from reference_broker.wire.messages.join_group_request import JoinGroupRequest


def plant() -> None:
    """Puts it in."""
    join_again = Joining._join_again

    def idle(joining: Joining, group: ClassicGroup, request: JoinGroupRequest, ctx: RequestContext) -> Decision:
        if group.state is not State.STABLE or group.leader != request.member_id:
            return join_again(joining, group, request, ctx)
        joining._answer(ctx.later, joined_as_is(ctx.api_version, group, group.members[request.member_id]))
        return NOTHING

    Joining._join_again = idle
