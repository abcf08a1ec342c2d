"""Makes a group of every name that is asked for.

**Bug** A question about a group that is not there makes one: it is described as empty, can be deleted, and fills the
list of groups.

**Rejected by**
`checks/groups/test_delete_groups.py::test_an_unknown_group_is_refused[v0]`:
readers': <ErrorCode.GROUP_ID_NOT_FOUND: 69>}
`checks/groups/test_delete_groups.py::test_each_group_has_an_answer_of_its_own[v0]`:
unknown': <ErrorCode.GROUP_ID_NOT_FOUND: 69>}
`checks/groups/test_describe_groups.py::test_an_unknown_group_is_dead[v0]`: 'Empty' == 'Dead'
`checks/groups/test_describe_groups.py::test_several_groups[v0]`: unknown': 'Empty'}
"""

from __future__ import annotations

from typing import Any

from reference_broker.groups.classic_group import ClassicGroup
from reference_broker.groups.shard import GroupShard


def plant() -> None:
    """Puts it in: for questions and deletions, not for those who join or commit."""
    describe, delete = GroupShard.describe, GroupShard._deletion_of

    def described(shard: GroupShard, group_id: Any, version: int) -> Any:
        if group_id and group_id not in shard.groups:
            shard.groups[group_id] = ClassicGroup(group_id, 0)
        return describe(shard, group_id, version)

    def deletion_of(shard: GroupShard, group_id: str) -> Any:
        shard.groups.setdefault(group_id, ClassicGroup(group_id, 0))
        return delete(shard, group_id)

    GroupShard.describe, GroupShard._deletion_of = described, deletion_of
