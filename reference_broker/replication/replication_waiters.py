"""Who waits until all replicas in sync have a record: acks=all, and coordinators."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from reference_broker.wire.errors import ErrorCode

OnReplicated = Callable[[ErrorCode], None]


@dataclass(slots=True)
class ReplicationWaiters:
    """By the offset that the high watermark must reach; those of one offset in the order in which they came."""

    waiting: list[tuple[int, int, OnReplicated]] = field(default_factory=list)
    _count: int = 0

    def __len__(self) -> int:
        return len(self.waiting)

    def add(self, required_offset: int, then: OnReplicated) -> None:
        """Have somebody told once."""
        self._count += 1
        heapq.heappush(self.waiting, (required_offset, self._count, then))

    def complete(self, high_watermark: int, outcome: ErrorCode) -> None:
        """Tell those whose records are replicated."""
        waiting = self.waiting
        while waiting and waiting[0][0] <= high_watermark:
            _, _, then = heapq.heappop(waiting)
            then(outcome)

    def refuse(self, code: ErrorCode) -> None:
        """Tell all that it will not be known here."""
        waiting, self.waiting = self.waiting, []
        for _, _, then in sorted(waiting, key=lambda one: one[:2]):
            then(code)
