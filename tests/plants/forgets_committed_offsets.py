"""Forgets the offsets that groups committed when it starts again.

**Bug** Commits are answered, and count while the broker runs, but their records are passed over when
__consumer_offsets is loaded: consumers begin anew.

**Rejected by**
`checks/durability/test_committed_offsets_survive.py::test_committed_offsets_survive[confluent-restart]`: 0): 20
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
    loaded: set[int] = set()

    def forgetful(shard: GroupShard, record: CoordinatorRecord, offset: int, producer_id: int) -> None:
        if id(shard) in loaded or not isinstance(record.key, OffsetCommitKey):
            replay(shard, record, offset, producer_id)

    def note_loaded(shard: GroupShard, now_ms: int) -> Iterable[Any]:
        loaded.add(id(shard))
        return on_loaded(shard, now_ms)

    GroupShard.replay, GroupShard.on_loaded = forgetful, note_loaded
