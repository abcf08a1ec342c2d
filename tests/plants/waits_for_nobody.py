"""Ends the join phase when the first member has come.

**Bug** A new generation is made of whoever joined first; the others, who were not told yet, are put out.

**Rejected by**
`checks/groups/test_describe_groups.py::test_a_group_that_gathers[v0]`: True = is_answered
`checks/groups/test_heartbeat.py::test_a_member_learns_that_others_gather[v0]`: True = is_answered
`checks/groups/test_offset_commit.py::test_while_others_gather_a_member_commits[v2]`: True = is_answered
"""

from __future__ import annotations

from reference_broker.groups.classic_group import ClassicGroup


def plant() -> None:
    """Puts it in."""
    ClassicGroup.all_joined = property(lambda group: True)
