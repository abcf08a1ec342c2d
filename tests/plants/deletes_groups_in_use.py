"""Deletes a group while its members read.

**Bug** DeleteGroups does not look whether a group is empty: its offsets go, and its consumers begin anew.

**Rejected by**
`checks/groups/test_delete_groups.py::test_a_group_with_members_stays[v2]`: NON_EMPTY_GROUP
`checks/groups/test_groups_model.py`: The model allows another answer
`checks/groups/test_delete_groups.py::test_a_group_with_members_stays[v0]`: readers': <ErrorCode.NON_EMPTY_GROUP: 68>}
"""

from __future__ import annotations

from reference_broker.coordinator.shard import CoordinatorRecord
from reference_broker.groups.records import group_tombstone
from reference_broker.groups.shard import GroupShard


def plant() -> None:
    """Puts it in."""
    deletion_of = GroupShard._deletion_of

    def reckless(shard: GroupShard, group_id: str) -> list[CoordinatorRecord]:
        if group_id in shard.groups:
            return [*shard.offsets.tombstones_of(group_id), group_tombstone(group_id)]
        return deletion_of(shard, group_id)

    GroupShard._deletion_of = reckless
