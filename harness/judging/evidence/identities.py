"""When producers got a new producer id or epoch, which ends the guarantees of idempotence for order and duplicates.

Some libraries report a new id up to 1 s late (is_prompt=False); the change may then have been up to 1 s earlier.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass, field

from harness.history.operations import Operation, ProducerIdentity

_LATE_NS = 1_000_000_000
_SAMPLE_NS = 50_000_000


@dataclass(slots=True)
class Identities:
    """The producer ids of all processes."""

    _known: dict[str, tuple[int, int]] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)
    _changes: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """Process → (first, last) operation at which it may have got a new id, for each id after the first."""
    _late: dict[str, bool] = field(default_factory=dict)
    _times_ns: array[int] = field(default_factory=lambda: array("q"))
    _indexes: array[int] = field(default_factory=lambda: array("q"))
    """Index of an operation at each time in `_times_ns`, at least 50 ms apart."""

    def pass_by(self, operation: Operation) -> None:
        """Records the time of an operation, to find operations by time."""
        if not self._times_ns or operation.time_ns - self._times_ns[-1] >= _SAMPLE_NS:
            self._times_ns.append(operation.time_ns)
            self._indexes.append(operation.index)

    def take(self, operation: Operation, value: ProducerIdentity) -> None:
        """A process got a new producer id or epoch, or no longer has one."""
        process = operation.process
        first = operation.index
        if not value.is_prompt:
            self._late[process] = True
            place = bisect_right(self._times_ns, operation.time_ns - _LATE_NS) - 1
            first = self._indexes[place] if place >= 0 else 0
        if process in self._known:
            self._changes.setdefault(process, []).append((first, operation.index))
        if value.producer_id >= 0:
            self._known[process] = (value.producer_id, value.epoch)
        self._counts[process] = self._counts.get(process, 0) + 1

    def count(self, process: str) -> int:
        """Number of ids that a process has had so far; 0 if its library reports them late."""
        return 0 if self._late.get(process) else self._counts.get(process, 0)

    def changed_between(self, process: str, start: int, stop: int) -> bool:
        """Whether a process may have got a new id between two operations (indexes)."""
        return any(first < stop and last > start for first, last in self._changes.get(process, ()))
