"""Lets a client into a group whose protocol it does not speak.

**Bug** JoinGroup does not look whether the members share a protocol and a type: the leader cannot read what a member
says of itself.

**Rejected by**
`checks/groups/test_join_group.py::test_members_share_a_protocol`: 0 == <ErrorCode.INCONSISTENT_GROUP_PROTOCOL: 23>
`checks/groups/test_join_group.py::test_a_member_has_protocols[v0]`: JoinGroup v0 (no protocols): connection closed
`checks/groups/test_join_group.py::test_members_share_a_protocol[v3]`: 0 == <ErrorCode.INCONSISTENT_GROUP_PROTOCOL: 23>
"""

from __future__ import annotations

from reference_broker.groups.classic_group import ClassicGroup


def plant() -> None:
    """Puts it in."""
    ClassicGroup.can_speak = lambda group, protocol_type, protocols: True
