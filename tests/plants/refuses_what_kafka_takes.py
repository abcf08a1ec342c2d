"""Refuses members and offsets that Kafka takes.

**Bug** The coordinator checks what only Kafka's own clients check: the names of instances, timeouts, reasons, offsets
and how long to keep them. Clients that are less strict do not work with it.

**Rejected by**
`checks/groups/test_join_group.py::test_a_reason_may_be_given[v8]`: 42 == <ErrorCode.NONE: 0>
`checks/groups/test_join_group.py::test_a_rebalance_timeout_may_be_anything[v1--1]`:
(42, -1) == (<ErrorCode.NONE: 0>, 1)
`checks/groups/test_join_group.py::test_an_instance_may_have_any_name[blank_inside]`:
(42, -1) == (<ErrorCode.NONE: 0>, 1)
`checks/groups/test_leave_group.py::test_a_reason_may_be_given`: 42 == <ErrorCode.NONE: 0>
`checks/groups/test_offset_commit.py::test_a_time_to_keep_may_be_given[v2]`: 42 == <ErrorCode.NONE: 0>
`checks/groups/test_offset_commit.py::test_odd_offsets[-1]`: 42 == <ErrorCode.NONE: 0>
"""

from __future__ import annotations

from typing import Any

from reference_broker.groups.coordinator import GroupCoordinator
from reference_broker.groups.request import RequestContext
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.refusal import KafkaError


def plant() -> None:
    """Puts it in."""
    join, leave, commit = GroupCoordinator.join, GroupCoordinator.leave, GroupCoordinator.commit

    def strict_join(groups: GroupCoordinator, request: Any, ctx: RequestContext) -> Any:
        name = request.group_instance_id
        is_odd = name is not None and not (name.isalnum() and len(name) < 250)
        if is_odd or request.rebalance_timeout_ms <= 0 < ctx.api_version or request.reason:
            raise KafkaError(ErrorCode.INVALID_REQUEST)
        return join(groups, request, ctx)

    def strict_leave(groups: GroupCoordinator, request: Any, ctx: RequestContext, finish: Any) -> Any:
        if any(one.reason for one in request.members):
            raise KafkaError(ErrorCode.INVALID_REQUEST)
        return leave(groups, request, ctx, finish)

    def strict_commit(groups: GroupCoordinator, request: Any, ctx: RequestContext, finish: Any) -> Any:
        partitions = [one for topic in request.topics for one in topic.partitions]
        if request.retention_time_ms >= 0 or any(not 0 <= one.committed_offset < 2**62 for one in partitions):
            raise KafkaError(ErrorCode.INVALID_REQUEST)
        return commit(groups, request, ctx, finish)

    GroupCoordinator.join, GroupCoordinator.leave, GroupCoordinator.commit = strict_join, strict_leave, strict_commit
