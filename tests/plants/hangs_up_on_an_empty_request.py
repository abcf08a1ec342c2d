"""Closes the connection on a request that names nothing.

**Bug** A list without elements is taken for a malformed request. Like Kafka 4.0, which never answers an OffsetFetch
without groups.

**Rejected by**
`checks/groups/test_delete_groups.py::test_no_groups_get_an_empty_answer[v0]`:
DeleteGroups v0 (no groups): connection closed
`checks/groups/test_describe_groups.py::test_no_groups_get_an_empty_answer[v0]`:
DescribeGroups v0 (no groups): connection closed
`checks/groups/test_find_coordinator.py::test_no_groups[v4]`: FindCoordinator v4 (no groups): connection closed
`checks/groups/test_leave_group.py::test_nobody_leaves[v3]`: LeaveGroup v3 (nobody): connection closed
`checks/groups/test_offset_commit.py::test_no_topics_get_an_empty_answer[v2]`:
OffsetCommit v2 (no topics): connection closed
`checks/groups/test_offset_delete.py::test_no_topics_get_an_empty_answer`:
OffsetDelete v0 (no topics): connection closed
`checks/groups/test_offset_fetch.py::test_no_groups_get_an_empty_answer[v10]`:
OffsetFetch v10 (no groups): connection closed
`checks/groups/test_offset_fetch.py::test_no_topics[v1]`: OffsetFetch v1 (no topics): connection closed
`checks/retention/test_delete_records.py::test_no_topics_get_an_empty_answer[v0]`:
DeleteRecords v0 (no topics): connection closed
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from reference_broker.apis import (
    delete_groups,
    delete_records,
    describe_groups,
    find_coordinator,
    leave_group,
    offset_commit,
    offset_delete,
    offset_fetch,
)
from reference_broker.effects import HANG_UP

LISTS = {
    delete_groups: ("groups_names", 0),
    describe_groups: ("groups", 0),
    find_coordinator: ("coordinator_keys", find_coordinator.SEVERAL_KEYS_SINCE),
    leave_group: ("members", leave_group.SEVERAL_MEMBERS_SINCE),
    offset_fetch: ("groups", offset_fetch.SEVERAL_GROUPS_SINCE),
    offset_commit: ("topics", 0),
    offset_delete: ("topics", 0),
    delete_records: ("topics", 0),
}


def impatient(handle: Callable[..., Any], field: str, since: int) -> Callable[..., Any]:
    """A handler that takes no empty list; of OffsetFetch no group without topics either."""

    def handled(request: Any, ctx: Any) -> Any:
        found = getattr(request, field) if ctx.api_version >= since else request.topics if field == "groups" else None
        if found == () or (found and field == "groups" and getattr(found[0], "topics", None) == ()):
            return HANG_UP
        return handle(request, ctx)

    return handled


def plant() -> None:
    """Puts it in."""
    modules: dict[ModuleType, tuple[str, int]] = LISTS
    for module, (field, since) in modules.items():
        module.handle = impatient(module.handle, field, since)
