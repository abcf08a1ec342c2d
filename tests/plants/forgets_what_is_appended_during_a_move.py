"""Ends a move between folders with what the log held when it began.

**Bug** The copy takes the log's place without the records that were appended since it was begun (KIP-113).

**Rejected by**
`checks/protocol/test_alter_replica_log_dirs.py::test_a_replica_moves_with_all_its_records`:
records after the move
"""

from __future__ import annotations

from typing import Any

from reference_broker.environment import Now
from reference_broker.replication.moves import Move, Moves


def plant() -> None:
    """Plants it."""
    begin, copy = Moves._begin, Moves._copy
    ends: dict[int, int] = {}

    def noted(self: Moves, partition: Any, folder: Any) -> None:
        begin(self, partition, folder)
        ends[id(partition)] = partition.log.log_end_offset

    def copied(self: Moves, move: Move, now: Now) -> int:
        if move.log.log_end_offset < ends[id(move.partition)]:
            return copy(self, move, now)
        return 0

    Moves._begin, Moves._copy = noted, copied  # type: ignore[method-assign]
    Move.lag = property(  # type: ignore[method-assign,assignment]
        lambda move: max(0, ends[id(move.partition)] - move.log.log_end_offset)
    )
