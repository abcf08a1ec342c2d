"""Answers for the first of several alone.

**Bug** Of the groups, members or partitions of a request only the first is looked at: the others are passed over
without a word.

**Rejected by**
`checks/groups/test_describe_groups.py::test_a_group_named_twice`: Right contains one more item
`checks/groups/test_leave_group.py::test_several_leave_at_once[v3]`: [0] == [<ErrorCode.N...EMBER_ID: 25>]
`checks/groups/test_delete_groups.py::test_each_group_has_an_answer_of_its_own[v2]`: Right contains 2 more items
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from msgspec.structs import replace

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

LISTS = {
    delete_groups: "groups_names",
    describe_groups: "groups",
    find_coordinator: "coordinator_keys",
    leave_group: "members",
    offset_fetch: "groups",
    offset_commit: "topics",
    offset_delete: "topics",
    delete_records: "topics",
}


def cut(handle: Callable[..., Any], field: str) -> Callable[..., Any]:
    """A handler that sees the first element, and of a topic the first partition."""

    def handled(request: Any, ctx: Any) -> Any:
        first = getattr(request, field)[:1]
        if field == "topics" and first:
            first = (replace(first[0], partitions=first[0].partitions[:1]),)
        return handle(replace(request, **{field: first}), ctx)

    return handled


def plant() -> None:
    """Puts it in."""
    modules: dict[ModuleType, str] = LISTS
    for module, field in modules.items():
        module.handle = cut(module.handle, field)
