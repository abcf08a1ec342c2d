"""LeaveGroup: members go, themselves or by an administrator's hand.

**Promises** Who has left is no member when the answer comes, and the others rebalance. A static member can be named by
its instance id alone (KIP-345).
**Refuses** INVALID_GROUP_ID; NOT_COORDINATOR; COORDINATOR_LOAD_IN_PROGRESS; COORDINATOR_NOT_AVAILABLE: not replicated
in time. Per member: UNKNOWN_MEMBER_ID, also where the group is unknown; FENCED_INSTANCE_ID: the instance has another
member id by now.
**Versions** 3 several members; before, one, whose error is that of the answer; 5 a reason, for the log.
**Departs from Kafka** Nothing known.
"""

from __future__ import annotations

from typing import Any, Final

from reference_broker.apis.context import BrokerContext
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.leave_group_request import LeaveGroupRequest, MemberIdentity
from reference_broker.wire.messages.leave_group_response import LeaveGroupResponse

API: Final = ApiKey.LEAVE_GROUP
VERSIONS: Final = range(6)
LISTENERS: Final = ("broker",)

SEVERAL_MEMBERS_SINCE: Final = 3


def handle(request: LeaveGroupRequest, ctx: BrokerContext) -> Any:
    """Remove the members that are named."""
    if ctx.api_version >= SEVERAL_MEMBERS_SINCE:
        return ctx.groups.leave(request, ctx, lambda response: response)
    alone = LeaveGroupRequest(group_id=request.group_id, members=(MemberIdentity(member_id=request.member_id),))
    return ctx.groups.leave(alone, ctx, _only_error)


def _only_error(response: LeaveGroupResponse) -> LeaveGroupResponse:
    return LeaveGroupResponse(error_code=response.members[0].error_code)
