"""Serves a group without a name as any other.

**Bug** The empty group id is not refused: consumers whose configuration lacks a group share one, and take each other's
partitions.

**Rejected by**
`checks/groups/test_heartbeat.py::test_a_group_has_a_name[v0]`: 25 == <ErrorCode.INVALID_GROUP_ID: 24>
`checks/groups/test_join_group.py::test_a_group_has_a_name[v0]`: 0 == <ErrorCode.INVALID_GROUP_ID: 24>
`checks/groups/test_leave_group.py::test_a_group_has_a_name[v0]`: 25 == <ErrorCode.INVALID_GROUP_ID: 24>
`checks/groups/test_offset_delete.py::test_a_group_has_a_name`: == <ErrorCode.INVALID_GROUP_ID: 24>
`checks/groups/test_sync_group.py::test_a_group_has_a_name[v0]`: 25 == <ErrorCode.INVALID_GROUP_ID: 24>
"""

from __future__ import annotations

from typing import Any

from reference_broker.groups import coordinator
from reference_broker.groups.coordinator import GroupCoordinator
from reference_broker.groups.request import RequestContext
from reference_broker.wire.messages.join_group_request import JoinGroupRequest


def plant() -> None:
    """Puts it in."""
    join = GroupCoordinator.join

    def lenient(groups: GroupCoordinator, request: JoinGroupRequest, ctx: RequestContext) -> Any:
        if request.group_id:
            return join(groups, request, ctx)
        return groups._defer(request.group_id, lambda shard, asked: shard.joining.decide(request, asked), ctx)

    GroupCoordinator.join = lenient
    coordinator._require_id = lambda group_id: None
