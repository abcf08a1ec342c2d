"""Names an address for the coordinator at which nobody listens.

**Bug** FindCoordinator answers with a port that is one too high: no consumer finds its group.

**Rejected by**
`checks/groups/test_find_coordinator.py::test_a_group_has_a_coordinator[v0]`:
[(0, False)] == [(<ErrorCode.NONE: 0>, True)]
`checks/groups/test_find_coordinator.py::test_a_group_named_twice[v4]`:
[(0, False), (0, False)] == [(<ErrorCode....NE: 0>, True)]
`checks/groups/test_find_coordinator.py::test_an_empty_key[v0]`: [(0, False)] == [(<ErrorCode.NONE: 0>, True)]
`checks/groups/test_find_coordinator.py::test_several_groups_at_once[v4]`:
[(0, False), ...), (0, False)] == [(<ErrorCode....NE: 0>, True)]
"""

from __future__ import annotations

from typing import Any

from reference_broker.apis import find_coordinator
from reference_broker.apis.context import Context
from reference_broker.wire.errors import ErrorCode


def plant() -> None:
    """Puts it in."""
    find = find_coordinator._find

    def elsewhere(key_type: int, key: str, ctx: Context) -> tuple[ErrorCode, Any]:
        code, (node_id, host, port) = find(key_type, key, ctx)
        return code, (node_id, host, port + 1 if code is ErrorCode.NONE else port)

    find_coordinator._find = elsewhere
