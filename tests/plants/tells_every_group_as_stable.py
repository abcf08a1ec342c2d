"""Tells every group as stable.

**Bug** DescribeGroups and ListGroups say Stable of groups that gather, wait or are empty: who looks for the reason why
a consumer stands still finds none.

**Rejected by**
`checks/groups/test_describe_groups.py::test_a_group_before_its_assignment[v0]`: 'Stable' == 'CompletingRebalance'
`checks/groups/test_describe_groups.py::test_a_group_of_offsets_alone[v0]`: ('Stable', '') == ('Empty', '')
`checks/groups/test_describe_groups.py::test_a_group_that_was_left[v0]`: ('Stable', ()) == ('Empty', ())
`checks/groups/test_describe_groups.py::test_the_empty_name[v0]`: ('Stable', 0) == ('Dead', <ErrorCode.NONE: 0>)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from reference_broker.groups.shard import GroupShard


def plant() -> None:
    """Puts it in."""
    describe, listed = GroupShard.describe, GroupShard.listed

    def described(shard: GroupShard, group_id: Any, version: int) -> Any:
        return replace(describe(shard, group_id, version), group_state="Stable")

    def all_stable(shard: GroupShard, states: frozenset[str], types: frozenset[str]) -> Iterator[Any]:
        if not states or "stable" in states:
            yield from (replace(one, group_state="Stable") for one in listed(shard, frozenset(), types))

    GroupShard.describe, GroupShard.listed = described, all_stable
