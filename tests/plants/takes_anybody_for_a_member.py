"""Takes whoever speaks for a member of the group.

**Bug** Nobody looks whether a member id is one of the group's: a consumer that was put out goes on reading and
committing, and is believed.

**Rejected by**
`checks/groups/test_heartbeat.py::test_an_unknown_member_is_refused[v0]`: 0 == <ErrorCode.UNKNOWN_MEMBER_ID: 25>
`checks/groups/test_leave_group.py::test_a_member_leaves[v0]`: 22 == <ErrorCode.UNKNOWN_MEMBER_ID: 25>
`checks/groups/test_leave_group.py::test_an_unknown_member_is_refused[v0]`: 0 == <ErrorCode.UNKNOWN_MEMBER_ID: 25>
`checks/groups/test_sync_group.py::test_an_unknown_member_is_refused[v0]`: 0 == <ErrorCode.UNKNOWN_MEMBER_ID: 25>
"""

from __future__ import annotations

from typing import Any

from reference_broker.groups.classic_group import ClassicGroup


class Anybody(dict[str, Any]):
    """Members; one that is none of them is taken for the first."""

    def __missing__(self, member_id: str) -> Any:
        return next(iter(self.values()))


def plant() -> None:
    """Puts it in."""
    make = ClassicGroup.__init__

    def open_to_all(group: ClassicGroup, group_id: str, now_ms: int) -> None:
        make(group, group_id, now_ms)
        group.members = Anybody()

    ClassicGroup.__init__ = open_to_all
    ClassicGroup.require_member = lambda group, member_id, instance_id: None
