"""Measures how long acknowledged records were unread, and how many were unread over time: late, as opposed to lost."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass, field

_APART_NS = 5_000_000
"""Acknowledgements within this time are merged, so that memory grows with time, not with the number of records."""
_SAMPLE_NS = 100_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """The longest time for which an acknowledged record of a partition was not read by a process."""

    process: str
    where: int
    lag_ns: int
    poll: int
    """Index of the poll that read it."""


@dataclass(slots=True)
class _Acknowledgements:
    """The highest acknowledged offset of a partition over time."""

    offsets: array[int] = field(default_factory=lambda: array("q"))
    times_ns: array[int] = field(default_factory=lambda: array("q"))

    def add(self, offset: int, time_ns: int) -> None:
        offsets = self.offsets
        if offsets and offset <= offsets[-1]:
            return
        if offsets and time_ns - self.times_ns[-1] < _APART_NS:
            offsets[-1] = offset
            return
        offsets.append(offset)
        self.times_ns.append(time_ns)

    def waiting_since(self, offset: int) -> int | None:
        """When the first record at or after an offset was acknowledged, in ns; None if none was."""
        place = bisect_left(self.offsets, offset)
        return self.times_ns[place] if place < len(self.offsets) else None


@dataclass(slots=True)
class Freshness:
    """Measurements over a history."""

    worst: dict[tuple[str, int], Lag] = field(default_factory=dict)
    """(process, partition) → longest lag."""
    unseen: list[tuple[int, int]] = field(default_factory=list)
    """(time in ns, number of acknowledged records that nobody had read by then)."""
    _acknowledged: dict[int, _Acknowledgements] = field(default_factory=dict)
    _now_unseen: int = 0

    def acknowledge(self, where: int, offset: int, time_ns: int, *, is_seen: bool) -> None:
        """A record was acknowledged; `is_seen` if it had already been read."""
        known = self._acknowledged.get(where)
        if known is None:
            known = self._acknowledged[where] = _Acknowledgements()
        known.add(offset, time_ns)
        if not is_seen:
            self._now_unseen += 1
            self._sample(time_ns)

    def see(self, time_ns: int) -> None:
        """An acknowledged record was read for the first time."""
        self._now_unseen -= 1
        self._sample(time_ns)

    def waiting_since(self, where: int, offset: int) -> int | None:
        """When the first record of a partition at or after an offset was acknowledged, in ns; None if none was."""
        known = self._acknowledged.get(where)
        return known.waiting_since(offset) if known else None

    def _sample(self, time_ns: int) -> None:
        unseen = self.unseen
        if unseen and time_ns - unseen[-1][0] < _SAMPLE_NS:
            unseen[-1] = (unseen[-1][0], self._now_unseen)
        else:
            unseen.append((time_ns, self._now_unseen))

    def read(self, process: str, where: int, next_offset: int, poll: int, time_ns: int) -> None:
        """A process read records, after having read up to `next_offset`."""
        since = self.waiting_since(where, next_offset)
        if since is None:
            return
        best = self.worst.get((process, where))
        if best is None or time_ns - since > best.lag_ns:
            self.worst[process, where] = Lag(process=process, where=where, lag_ns=time_ns - since, poll=poll)
