"""Leaves groups out of the list that only keep offsets.

**Bug** ListGroups tells of groups that had members alone: the offsets of the others are kept for ever, and nobody knows
of them.

**Rejected by**
`checks/groups/test_list_groups.py::test_all_groups_are_listed[v0]`: -offsets': ('', '')}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reference_broker.groups.shard import GroupShard


def plant() -> None:
    """Puts it in."""
    listed = GroupShard.listed

    def few(shard: GroupShard, states: frozenset[str], types: frozenset[str]) -> Iterator[Any]:
        return (one for one in listed(shard, states, types) if one.protocol_type)

    GroupShard.listed = few
