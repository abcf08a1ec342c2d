"""Does not fence the former member id of a static member.

**Bug** Who speaks for an instance by an old member id is told that it is unknown, not that another has its place: it
joins anew, and the two put each other out in turn (KIP-345).

**Rejected by**
`checks/groups/test_leave_group.py::test_an_instance_is_put_out_by_its_name[v3]`:
25 == <ErrorCode.FENCED_INSTANCE_ID: 82>
`checks/groups/test_offset_commit.py::test_an_instance_with_another_member_id_is_fenced[v7]`:
25 == <ErrorCode.FENCED_INSTANCE_ID: 82>
`checks/groups/test_sync_group.py::test_an_instance_with_another_member_id_is_fenced[v3]`:
25 == <ErrorCode.FENCED_INSTANCE_ID: 82>
"""

from __future__ import annotations

from reference_broker.groups.classic_group import ClassicGroup
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.refusal import KafkaError


def plant() -> None:
    """Puts it in."""

    def require_member(group: ClassicGroup, member_id: str, instance_id: str | None) -> None:
        if member_id not in group.members:
            raise KafkaError(ErrorCode.UNKNOWN_MEMBER_ID)

    ClassicGroup.require_member = require_member
