"""Lets members in that have no id yet.

**Bug** From version 4 of JoinGroup on a new member must come back with the id that it was given; here it is a member at
once, so that each client that gives up and tries again leaves a dead member behind (KIP-394).

**Rejected by**
`checks/groups/test_join_group.py::test_a_member_is_given_an_id_first[v4]`: (0, 1) == (<ErrorCode.M...IRED: 79>, -1)
"""

from __future__ import annotations

from reference_broker.groups import joining


def plant() -> None:
    """Puts it in."""
    joining.MEMBER_ID_FIRST_SINCE = 99
