"""Forgets the members of groups when a coordinator loads them.

**Bug** Committed offsets are kept, but the record of a group's generation is passed over when __consumer_offsets is
loaded: members are strangers to the new coordinator, and must join anew.

**Rejected by**
`checks/groups/test_coordinators_fail_over.py::test_a_member_goes_on_when_its_coordinator_dies`:
answered UNKNOWN_MEMBER_ID
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reference_broker.coordinator.shard import CoordinatorRecord
from reference_broker.groups.shard import GroupShard
from reference_broker.wire.messages.group_metadata_key import GroupMetadataKey


def plant() -> None:
    """Puts it in."""
    replay, on_loaded = GroupShard.replay, GroupShard.on_loaded
    loaded: set[int] = set()

    def forgetful(shard: GroupShard, record: CoordinatorRecord, offset: int, producer_id: int) -> None:
        if id(shard) in loaded or not isinstance(record.key, GroupMetadataKey):
            replay(shard, record, offset, producer_id)

    def note_loaded(shard: GroupShard, now: Any) -> Iterable[Any]:
        loaded.add(id(shard))
        return on_loaded(shard, now)

    GroupShard.replay, GroupShard.on_loaded = forgetful, note_loaded
