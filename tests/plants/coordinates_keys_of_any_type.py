"""Takes every key for a group's.

**Bug** FindCoordinator looks at no key's type and form: who asks for something that has no coordinator is sent to one.

**Rejected by**
`checks/groups/test_find_coordinator.py::test_a_share_key_has_three_parts[no_id]`:
!= (<ErrorCode.INVALID_REQUEST: 42>, -1)
`checks/groups/test_find_coordinator.py::test_an_unknown_type_is_refused[v1--1]`:
== [(<ErrorCode....EST: 42>, -1)]
`checks/groups/test_find_coordinator.py::test_share_coordinators_came_with_version_6[v4]`:
== [(<ErrorCode....EST: 42>, -1)]
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reference_broker.apis import find_coordinator
from reference_broker.apis.context import Context
from reference_broker.wire.messages.find_coordinator_request import FindCoordinatorRequest


def plant() -> None:
    """Puts it in."""
    handle = find_coordinator.handle

    def obliging(request: FindCoordinatorRequest, ctx: Context) -> Any:
        return handle(replace(request, key_type=find_coordinator.GROUP), ctx)

    find_coordinator.handle = obliging
