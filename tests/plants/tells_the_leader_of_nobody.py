"""Tells the leader of a group of no members.

**Bug** JoinGroup leaves the list of members out of the leader's answer: it assigns nothing to anybody.

**Rejected by**
`checks/groups/test_join_group.py::test_a_member_joins[v0]`: Right contains one more item
`checks/groups/test_join_group.py::test_two_members_agree`: Right contains 2 more items
"""

from __future__ import annotations

from reference_broker.groups.classic_group import ClassicGroup


def plant() -> None:
    """Puts it in."""
    ClassicGroup.joined_members = lambda group: ()
