"""Lists all groups whatever was asked for.

**Bug** ListGroups looks at no filter: tools that look for empty groups, to delete them, find those that are in use.

**Rejected by**
`checks/groups/test_list_groups.py::test_a_type_that_is_none`: At index 1 diff
`checks/groups/test_list_groups.py::test_states_and_types_together`: Extra items in the left set
`checks/groups/test_list_groups.py::test_states_may_be_chosen[v4-beside-none]`:
['CompletingR...ty', 'Stable'] == ['Stable']
`checks/groups/test_list_groups.py::test_types_may_be_chosen[consumer]`: 3 == 0
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reference_broker.groups.shard import GroupShard


def plant() -> None:
    """Puts it in."""
    listed = GroupShard.listed

    def everything(shard: GroupShard, states: frozenset[str], types: frozenset[str]) -> Iterator[Any]:
        return listed(shard, frozenset(), frozenset())

    GroupShard.listed = everything
