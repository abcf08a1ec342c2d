"""Says that a group is deleted, and keeps it.

**Bug** DeleteGroups answers without an error, and writes nothing: a new group of the same name goes on where the old
one stopped.

**Rejected by**
`checks/groups/test_delete_groups.py::test_a_group_is_deleted_with_its_offsets[v0]`: 5 == -1
"""

from __future__ import annotations

from reference_broker.coordinator.shard import CoordinatorRecord
from reference_broker.groups.shard import GroupShard


def plant() -> None:
    """Puts it in."""
    deletion_of = GroupShard._deletion_of

    def pretend(shard: GroupShard, group_id: str) -> list[CoordinatorRecord]:
        return deletion_of(shard, group_id)[:0]

    GroupShard._deletion_of = pretend
