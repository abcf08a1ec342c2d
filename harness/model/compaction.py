"""What compaction may have taken from a log at the moment of a reading, and what a round leaves: in lists and dicts.

Kafka's documents: "Log Compaction"; topic configurations delete.retention.ms, min.compaction.lag.ms; KIP-58, KIP-534.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

_TOLD: Final = 4
"""How many records of one kind of fault are told one by one."""


class LogRecord(NamedTuple):
    """A record as it stands in the log. Without a value, it is a tombstone."""

    offset: int
    timestamp: int
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a reader found that went through the log from its start. Times in ms since 1970.

    `end` is a high watermark from before the reading began: all that was below it then was read past.
    """

    began_ms: int
    ended_ms: int
    end: int
    records: Sequence[LogRecord]
    start: int = 0
    """The log start offset before the reading began."""
    start_after: int = 0
    """And after it ended: what is below may have been deleted meanwhile."""


@dataclass(slots=True, kw_only=True)
class CompactedLog:
    """The log of one partition: tell it what was written and closed, and it judges what is read.

    `is_one_copy`: all readings are of one replica, on which nothing comes back that was gone. Another replica may be
    compacted less. Kafka compacts whole segments, and never the one that is written to.
    """

    delete_retention_ms: int
    min_compaction_lag_ms: int = 0
    is_one_copy: bool = True
    written: dict[int, LogRecord] = field(default_factory=dict)
    """By offset."""
    _closed: list[tuple[int, int]] = field(default_factory=list)
    """(offset, ms): since when, at the earliest, all below the offset is in closed segments."""
    _by_key: dict[bytes, list[int]] = field(default_factory=dict)
    _gone: set[int] = field(default_factory=set)

    def append(self, records: Sequence[LogRecord]) -> None:
        """Records that were acknowledged, in the order of their offsets. ValueError unless they are behind all others.

        Offsets between them are markers', or of records that were refused.
        """
        for record in records:
            if record.offset < self.end:
                raise ValueError(f"offset {record.offset} is acknowledged behind {self.end}")
            self.written[record.offset] = record
            self._by_key.setdefault(record.key, []).append(record.offset)

    def close_below(self, offset: int, at_ms: int) -> None:
        """The segment that is written to begins at the offset, and did not before `at_ms`."""
        self._closed.append((offset, at_ms))

    @property
    def end(self) -> int:
        """The offset after the last record."""
        return next(reversed(self.written)) + 1 if self.written else 0

    @property
    def closed_end(self) -> int:
        """Where the segment begins that is written to."""
        return self._closed[-1][0] if self._closed else 0

    def kept(self, end: int) -> list[LogRecord]:
        """What a round over all below `end` leaves, tombstones too: the last of each key, and all from `end` on."""
        return [
            record
            for offset, record in self.written.items()
            if offset >= end or self._last_below(record.key, end) == offset
        ]

    def state(self) -> dict[bytes, bytes]:
        """The last value of each key that has one: what an application knows that has read everything."""
        last = {key: self.written[offsets[-1]].value for key, offsets in self._by_key.items()}
        return {key: value for key, value in last.items() if value is not None}

    def judge(self, reading: Reading) -> list[str]:
        """What is wrong with a reading, a line each; empty where Kafka may answer so."""
        found = {record.offset: record for record in reading.records}
        wrong = [*self._misplaced(reading), *self._changed(reading)]
        missing = [
            record
            for offset, record in self.written.items()
            if max(reading.start, reading.start_after) <= offset < reading.end and offset not in found
        ]
        wrong += _told(why for record in missing if (why := self._why_needed(record, reading)))
        if self.is_one_copy:
            wrong += _told(
                f"offset {offset} was gone, and is there again" for offset in sorted(self._gone & found.keys())
            )
            self._gone.update(record.offset for record in missing)
        return wrong

    def _misplaced(self, reading: Reading) -> Iterator[str]:
        offsets = [record.offset for record in reading.records]
        for before, after in itertools.pairwise(offsets):
            if after <= before:
                yield f"offset {after} is read after offset {before}"
                return
        if offsets and offsets[0] < reading.start:
            yield f"offset {offsets[0]} is read, and the log starts at {reading.start}"

    def _changed(self, reading: Reading) -> list[str]:
        return _told(why for record in reading.records if (why := self._difference(record)))

    def _difference(self, record: LogRecord) -> str:
        wanted = self.written.get(record.offset)
        if wanted is None:
            return f"offset {record.offset} holds {_text(record)}, which nobody wrote there"
        parts = [name for name in LogRecord._fields if getattr(record, name) != getattr(wanted, name)]
        return (
            ""
            if not parts
            else f"offset {record.offset}: {', '.join(parts)} changed: {_text(wanted)} → {_text(record)}"
        )

    def _why_needed(self, record: LogRecord, reading: Reading) -> str:
        """Why a record must be there that was not read; nothing where it may be gone."""
        what = f"offset {record.offset}, {_text(record)}, is missing"
        if self.closed_ms(record.offset) > reading.ended_ms:
            return f"{what}, although it is in the segment that is written to"
        lag = self.min_compaction_lag_ms
        if lag and record.timestamp > reading.ended_ms - lag:
            return (
                f"{what} {reading.ended_ms - record.timestamp} ms after its timestamp; min.compaction.lag.ms is {lag}"
            )
        if any(self._is_cleanable(later, reading.ended_ms) for later in self._later_of(record)):
            return ""
        if record.value is not None:
            return f"{what}, the last of its key below what cannot be compacted yet"
        seen_ms = reading.ended_ms - self.closed_ms(record.offset)
        if seen_ms < self.delete_retention_ms:
            promised = f"delete.retention.ms is {self.delete_retention_ms}"
            return f"{what}, a tombstone, {seen_ms} ms after it could be compacted; {promised}"
        return ""

    def _is_cleanable(self, offset: int, now_ms: int) -> bool:
        lag = self.min_compaction_lag_ms
        is_old = not lag or self.written[offset].timestamp <= now_ms - lag
        return is_old and self.closed_ms(offset) <= now_ms

    def closed_ms(self, offset: int) -> int:
        """Since when a record has been in a closed segment, at the earliest; far in the future for not yet."""
        at = bisect_right(self._closed, (offset, 1 << 62))
        return self._closed[at][1] if at < len(self._closed) else 1 << 62

    def _later_of(self, record: LogRecord) -> Sequence[int]:
        offsets = self._by_key[record.key]
        return offsets[bisect_right(offsets, record.offset) :]

    def _last_below(self, key: bytes, end: int) -> int:
        offsets = self._by_key[key]
        return offsets[bisect_right(offsets, end - 1) - 1]


def _text(record: LogRecord) -> str:
    value = "a tombstone" if record.value is None else repr(record.value[:24])
    return f"{record.key[:24]!r} = {value} of {record.timestamp}, {len(record.headers)} headers"


def _told(lines: Iterator[str]) -> list[str]:
    found = list(lines)
    return found[:_TOLD] + ([f"… and {len(found) - _TOLD:,} more like these"] if len(found) > _TOLD else [])
