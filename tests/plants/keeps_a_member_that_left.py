"""Answers a member that it has left, and keeps it.

**Bug** LeaveGroup is answered without an error, but the member stays with its partitions until its session ends;
nobody reads them meanwhile.

**Rejected by**
`checks/groups/test_leave_group.py::test_a_member_leaves`: UNKNOWN_MEMBER_ID
"""

from __future__ import annotations

from reference_broker.groups import membership
from reference_broker.groups.classic_group import ClassicGroup
from reference_broker.groups.membership import Membership
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.leave_group_request import MemberIdentity
from reference_broker.wire.messages.leave_group_response import MemberResponse


def plant() -> None:
    """Puts it in."""
    leave = Membership._leave

    def pretend(self: Membership, group: ClassicGroup, identity: MemberIdentity) -> MemberResponse:
        if identity.member_id in group.members:
            return membership._left(identity, ErrorCode.NONE)
        return leave(self, group, identity)

    Membership._leave = pretend
