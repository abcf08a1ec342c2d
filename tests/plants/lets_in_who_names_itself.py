"""Lets in members with ids of their own making.

**Bug** JoinGroup with a member id that the coordinator never gave is a new member's: one that was put out comes back
under its old id, and is taken for another.

**Rejected by**
`checks/groups/test_join_group.py::test_an_instance_that_comes_back_takes_its_place[v5]`:
0 == <ErrorCode.FENCED_INSTANCE_ID: 82>
`checks/groups/test_join_group.py::test_an_unknown_instance_with_a_member_id[v5]`:
0 == <ErrorCode.UNKNOWN_MEMBER_ID: 25>
`checks/groups/test_join_group.py::test_an_unknown_member_is_refused[v0]`: 0 == <ErrorCode.UNKNOWN_MEMBER_ID: 25>
"""

from __future__ import annotations

from msgspec.structs import replace

from reference_broker.coordinator.shard import Decision
from reference_broker.groups.joining import Joining
from reference_broker.groups.request import RequestContext
from reference_broker.wire.messages.join_group_request import JoinGroupRequest


def plant() -> None:
    """Puts it in."""
    decide = Joining.decide

    def credulous(joining: Joining, request: JoinGroupRequest, ctx: RequestContext) -> Decision:
        group = joining._groups.get(request.group_id)
        known = {} if group is None else {**group.members, **group.pending_joins}
        own = request if request.member_id in known else replace(request, member_id="")
        return decide(joining, own, ctx)

    Joining.decide = credulous
