"""Goes back to the first offset that a group committed when it starts again.

**Bug** While __consumer_offsets is loaded, an offset that is known already is not replaced by a later one. The plant of
a coordinator that falls back to an old state: the group reads again what it has read.

**Rejected by**
`checks/durability/test_committed_offsets_survive.py::test_committed_offsets_survive[confluent-kill]`:
0): 10, where 20 should be
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reference_broker.coordinator.shard import CoordinatorRecord
from reference_broker.groups.shard import GroupShard
from reference_broker.wire.messages.offset_commit_key import OffsetCommitKey


def plant() -> None:
    """Puts it in."""
    replay, on_loaded = GroupShard.replay, GroupShard.on_loaded
    known: dict[int, set[Any] | None] = {}

    def first_only(shard: GroupShard, record: CoordinatorRecord, offset: int, producer_id: int) -> None:
        seen = known.setdefault(id(shard), set())
        if seen is not None and isinstance(record.key, OffsetCommitKey):
            where = (record.key.group, record.key.topic, record.key.partition)
            if where in seen:
                return
            seen.add(where)
        replay(shard, record, offset, producer_id)

    def loaded(shard: GroupShard, now_ms: int) -> Iterable[Any]:
        known[id(shard)] = None
        return on_loaded(shard, now_ms)

    GroupShard.replay, GroupShard.on_loaded = first_only, loaded
