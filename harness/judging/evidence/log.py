"""One partition as it was read: the record at each offset, which groups received it, and where reads differ."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from harness.history.operations import Record
from harness.judging.evidence.sends import Ints

Flags = npt.NDArray[np.bool_]
FINAL = ""
"""The reader name of the final read; other readers are groups."""
Discover = Callable[[Record, int], int]
"""(record, index of the poll) → the row of its send, -1 for a value that nobody sent."""
Conflict = Callable[[Record, int, int, int], int]
"""(record, index of the poll, row of what was read at its offset before, index of that poll) → the row of its send, -1
for a value that nobody sent."""


@dataclass(slots=True)
class _Cell:
    """A record whose offset was first read after a higher offset."""

    digest: int
    row: int
    first_poll: int
    epoch: int
    readers: list[str]


@dataclass(slots=True, kw_only=True)
class Cells:
    """A partition's log as it was read, in order of offsets; one array element per offset."""

    offsets: Ints
    rows: Ints
    """Row of the send of the record that was read first; -1 for a value that nobody sent."""
    final_rows: Ints
    """The same of the record that the final read returned, if it did: another one where offsets were written anew."""
    first_polls: Ints
    """Index of the poll that read it first."""
    epochs: Ints
    """Leader epoch of its batch; -1 if the client does not expose it."""
    is_final: Flags
    """Whether the final read returned it."""
    by_group: dict[str, Flags]
    """Group → whether a member of the group received it."""


@dataclass(slots=True)
class ObservedLog:
    """Collects what polls return for a partition. Each offset takes 37 bytes, unless first read out of order."""

    _offsets: array[int] = field(default_factory=lambda: array("q"))
    _digests: array[int] = field(default_factory=lambda: array("q"))
    _rows: array[int] = field(default_factory=lambda: array("q"))
    _first_polls: array[int] = field(default_factory=lambda: array("q"))
    _epochs: array[int] = field(default_factory=lambda: array("i"))
    _given: dict[str, bytearray] = field(default_factory=dict)
    _late: dict[int, _Cell] = field(default_factory=dict)
    _rewritten: dict[int, int] = field(default_factory=dict)
    """Offset → row of what the final read returned there, where that differs from what was read first."""
    records: int = 0
    """Number of records that polls returned, including repeated ones."""
    cells: Cells | None = None
    """Set by `finish`."""

    def see(
        self, records: Sequence[Record], poll: int, reader: str | None, discover: Discover, conflict: Conflict
    ) -> array[int]:
        """Adds the records of a poll; returns their offsets. `reader` is FINAL, a group, or None otherwise."""
        self.records += len(records)
        offsets = array("q", [record.offset for record in records])
        digests = array("q", map(hash, records))
        known = self._offsets
        first = offsets[0]
        place = len(known) if not known or first > known[-1] else bisect_left(known, first)
        count = min(len(offsets), len(known) - place)
        if count and (
            known[place : place + count] != offsets[:count] or self._digests[place : place + count] != digests[:count]
        ):
            for record, digest in zip(records, digests, strict=True):
                self._see_one(record, digest, poll, reader, discover, conflict)
            return offsets
        if count and reader is not None:
            self._give(reader, place, count)
        for number in range(count, len(records)):
            self._see_one(records[number], digests[number], poll, reader, discover, conflict)
        return offsets

    def _see_one(
        self, record: Record, digest: int, poll: int, reader: str | None, discover: Discover, conflict: Conflict
    ) -> None:
        offset, known = record.offset, self._offsets
        if not known or offset > known[-1]:
            known.append(offset)
            self._digests.append(digest)
            self._rows.append(discover(record, poll))
            self._first_polls.append(poll)
            self._epochs.append(record.leader_epoch)
            if reader is not None:
                self._give(reader, len(known) - 1, 1)
            return
        place = bisect_left(known, offset)
        if known[place] == offset:
            if self._digests[place] != digest:
                self._differ(offset, conflict(record, poll, self._rows[place], self._first_polls[place]), reader)
            if reader is not None:
                self._give(reader, place, 1)
            return
        cell = self._late.get(offset)
        if cell is None:
            cell = self._late[offset] = _Cell(digest, discover(record, poll), poll, record.leader_epoch, [])
        elif cell.digest != digest:
            self._differ(offset, conflict(record, poll, cell.row, cell.first_poll), reader)
        if reader is not None and reader not in cell.readers:
            cell.readers.append(reader)

    def _differ(self, offset: int, row: int, reader: str | None) -> None:
        if reader == FINAL:
            self._rewritten[offset] = row

    def _give(self, reader: str, place: int, count: int) -> None:
        given = self._given.get(reader)
        if given is None:
            given = self._given[reader] = bytearray()
        if len(given) < place + count:
            given.extend(bytes(place + count - len(given)))
        given[place : place + count] = b"\x01" * count

    def finish(self) -> None:
        """Builds `cells`, sorted by offset. No more records can be added afterwards."""
        size = len(self._offsets)
        late = sorted(self._late.items())
        order = np.argsort(
            np.concatenate([_numbers(self._offsets), np.array([offset for offset, _ in late], np.int64)]), kind="stable"
        )

        def merged(early: array[int], values: list[int]) -> Ints:
            return np.concatenate([_numbers(early), np.array(values, np.int64)])[order]

        def given(reader: str) -> Flags:
            flags = np.zeros(size + len(late), np.bool_)
            held = self._given.get(reader, bytearray())
            flags[: len(held)] = np.frombuffer(bytes(held), np.bool_)
            flags[size:] = [reader in cell.readers for _, cell in late]
            chosen: Flags = flags[order]
            return chosen

        offsets = merged(self._offsets, [offset for offset, _ in late])
        rows = merged(self._rows, [cell.row for _, cell in late])
        final_rows = rows.copy()
        written_anew = np.array(list(self._rewritten), np.int64)
        final_rows[np.searchsorted(offsets, written_anew)] = list(self._rewritten.values())
        readers = dict.fromkeys([*self._given, *(name for _, cell in late for name in cell.readers)])
        self.cells = Cells(
            offsets=offsets,
            rows=rows,
            final_rows=final_rows,
            first_polls=merged(self._first_polls, [cell.first_poll for _, cell in late]),
            epochs=merged(self._epochs, [cell.epoch for _, cell in late]),
            is_final=given(FINAL),
            by_group={reader: given(reader) for reader in readers if reader != FINAL},
        )
        self._offsets, self._digests = array("q"), array("q")
        self._rows, self._first_polls, self._epochs = array("q"), array("q"), array("i")
        self._given, self._late, self._rewritten = {}, {}, {}


def _numbers(held: array[int]) -> Ints:
    return np.frombuffer(held, dtype=held.typecode).astype(np.int64) if len(held) else np.zeros(0, np.int64)
