"""Tells of members without what they said of themselves.

**Bug** The metadata of members are empty, for the leader who assigns by them, and for who has the group described.

**Rejected by**
`checks/groups/test_describe_groups.py::test_a_stable_group_is_described[v0]`: 'exchange', b'', b'all')
"""

from __future__ import annotations

from reference_broker.groups.member import Member


def plant() -> None:
    """Puts it in."""
    Member.metadata = lambda member, protocol: b""
