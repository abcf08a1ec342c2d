"""Timers by deadline (monotonic) for all shards of a coordinator. Nobody reads a clock: the node gives the time."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from reference_broker.coordinator.shard import TimedAction
from reference_broker.environment import Now

TimerKey = tuple[str, ...]


@dataclass(slots=True)
class _Timer:
    deadline_ms: int
    number: int
    action: TimedAction
    queued_at_ms: int
    """The deadline that stands in the heap for it; heartbeats move deadlines later without touching the heap."""


class Timers:
    """Timers by (partition, key)."""

    def __init__(self) -> None:
        self._timers: dict[tuple[int, TimerKey], _Timer] = {}
        self._heap: list[tuple[int, int, tuple[int, TimerKey]]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._timers)

    def set(self, partition: int, key: TimerKey, deadline_ms: int, action: TimedAction) -> None:
        """Set or move a timer."""
        full = (partition, key)
        self._count += 1
        old = self._timers.get(full)
        if old is not None and old.queued_at_ms <= deadline_ms:
            self._timers[full] = _Timer(deadline_ms, self._count, action, old.queued_at_ms)
            return
        self._timers[full] = _Timer(deadline_ms, self._count, action, deadline_ms)
        heapq.heappush(self._heap, (deadline_ms, self._count, full))

    def cancel(self, partition: int, key: TimerKey) -> None:
        """Forget a timer."""
        self._timers.pop((partition, key), None)

    def cancel_all(self, partition: int) -> None:
        """Forget all timers of a partition."""
        for full in [full for full in self._timers if full[0] == partition]:
            del self._timers[full]

    def next_deadline_ms(self) -> int | None:
        """When the next timer is due; None where none is set."""
        while self._heap:
            queued_at, _, full = self._heap[0]
            timer = self._timers.get(full)
            if timer is None or timer.queued_at_ms != queued_at:
                heapq.heappop(self._heap)
            elif timer.deadline_ms > queued_at:
                timer.queued_at_ms = timer.deadline_ms
                heapq.heapreplace(self._heap, (timer.deadline_ms, timer.number, full))
            else:
                return queued_at
        return None

    def take_due(self, now_ms: int) -> Iterator[tuple[int, TimedAction]]:
        """(partition, action) of what is due, one by one; what is set meanwhile waits for the next call."""
        last = self._count
        while True:
            deadline = self.next_deadline_ms()
            if deadline is None or deadline > now_ms:
                return
            full = self._heap[0][2]
            timer = self._timers[full]
            if timer.number > last:
                return
            heapq.heappop(self._heap)
            del self._timers[full]
            yield full[0], timer.action


@dataclass(frozen=True, slots=True)
class PartitionTimers:
    """The timers of one partition: what a shard sees."""

    timers: Timers
    partition: int

    def after(self, key: TimerKey, delay_ms: int, now: Now, action: TimedAction) -> None:
        """Run the action `delay_ms` from now; a delay below zero is none."""
        self.timers.set(self.partition, key, now.monotonic_ms + max(delay_ms, 0), action)

    def cancel(self, key: TimerKey) -> None:
        """Forget a key's timer."""
        self.timers.cancel(self.partition, key)
