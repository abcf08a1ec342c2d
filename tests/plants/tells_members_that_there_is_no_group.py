"""Tells members of a group that is gone that there is no such group.

**Bug** Heartbeat, SyncGroup, LeaveGroup and OffsetCommit answer GROUP_ID_NOT_FOUND, which consumers take for fatal,
where UNKNOWN_MEMBER_ID or ILLEGAL_GENERATION would have them join anew.

**Rejected by**
`checks/groups/test_heartbeat.py::test_an_unknown_group_is_refused[v0]`: 69 == <ErrorCode.UNKNOWN_MEMBER_ID: 25>
`checks/groups/test_leave_group.py::test_an_unknown_group_is_refused[v0]`: 69 == <ErrorCode.UNKNOWN_MEMBER_ID: 25>
`checks/groups/test_offset_commit.py::test_a_group_has_a_name[v2]`: 69 == <ErrorCode.ILLEGAL_GENERATION: 22>
`checks/groups/test_offset_commit.py::test_a_generation_of_a_group_that_is_not_there[v2]`:
69 == <ErrorCode.ILLEGAL_GENERATION: 22>
`checks/groups/test_sync_group.py::test_an_unknown_group_is_refused[v0]`: 69 == <ErrorCode.UNKNOWN_MEMBER_ID: 25>
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reference_broker.groups.membership import Membership
from reference_broker.groups.offset_requests import OffsetRequests
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.refusal import KafkaError


def fatal(decide: Callable[..., Any]) -> Callable[..., Any]:
    """A decision that comes to nothing where there is no group."""

    def decided(own: Membership | OffsetRequests, request: Any, *more: Any) -> Any:
        if own._groups.get(request.group_id) is None and _names_a_member(request):
            raise KafkaError(ErrorCode.GROUP_ID_NOT_FOUND)
        return decide(own, request, *more)

    return decided


def _names_a_member(request: Any) -> bool:
    return bool(getattr(request, "member_id", "") or getattr(request, "members", ()))


def plant() -> None:
    """Puts it in."""
    Membership.decide_heartbeat = fatal(Membership.decide_heartbeat)
    Membership._group_to_sync = fatal(Membership._group_to_sync)
    Membership.decide_leave = fatal(Membership.decide_leave)
    OffsetRequests._require_may_commit = fatal(OffsetRequests._require_may_commit)
