"""Looks at no member's generation.

**Bug** Heartbeat, SyncGroup and OffsetCommit take any generation for the present one: a member that missed a rebalance
is not told.

**Rejected by**
`checks/groups/test_heartbeat.py::test_another_generation_is_refused[v0-new]`: 0 == <ErrorCode.ILLEGAL_GENERATION: 22>
`checks/groups/test_offset_commit.py::test_a_stranger_is_refused[v2]`: 0 == <ErrorCode.ILLEGAL_GENERATION: 22>
`checks/groups/test_sync_group.py::test_another_generation_is_refused[v0-new]`: 0 == <ErrorCode.ILLEGAL_GENERATION: 22>
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.coordinator.shard import Decision
from reference_broker.groups.classic_group import ClassicGroup
from reference_broker.groups.membership import Membership
from reference_broker.groups.offset_requests import OffsetRequests
from reference_broker.groups.rebalance import Groups
from reference_broker.groups.request import RequestContext


def present(groups: Groups, request: Any, field: str) -> Any:
    """The request, as if it came in the group's present generation."""
    group = groups.get(request.group_id)
    return request if group is None else replace(request, **{field: group.generation})


def plant() -> None:
    """Puts it in."""
    beat, sync, may_commit = Membership.decide_heartbeat, Membership._group_to_sync, OffsetRequests._require_may_commit

    def heartbeat(membership: Membership, request: Any, ctx: RequestContext) -> Decision:
        return beat(membership, present(membership._groups, request, "generation_id"), ctx)

    def group_to_sync(membership: Membership, request: Any) -> ClassicGroup:
        return sync(membership, present(membership._groups, request, "generation_id"))

    def require_may_commit(offsets: OffsetRequests, request: Any, ctx: RequestContext) -> ClassicGroup:
        if request.member_id:
            request = present(offsets._groups, request, "generation_id_or_member_epoch")
        return may_commit(offsets, request, ctx)

    Membership.decide_heartbeat, Membership._group_to_sync = heartbeat, group_to_sync
    OffsetRequests._require_may_commit = require_may_commit
