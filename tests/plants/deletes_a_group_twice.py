"""Answers twice where a group is named twice.

**Bug** DeleteGroups deletes a group as often as it is named; clients take the answers apart by the group's name, and
count wrongly.

**Rejected by**
`checks/groups/test_delete_groups.py::test_a_group_named_twice`: Left contains one more item
"""

from __future__ import annotations

from typing import Any

from reference_broker.apis import delete_groups
from reference_broker.wire.messages.delete_groups_response import DeleteGroupsResponse


def plant() -> None:
    """Puts it in."""

    def handle(request: Any, ctx: Any) -> Any:
        return ctx.groups.delete_groups(
            request.groups_names, ctx, lambda results: DeleteGroupsResponse(results=tuple(results))
        )

    delete_groups.handle = handle
