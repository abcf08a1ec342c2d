"""The records of a batch as columns: where each stands, and what compaction looks at.

This is the hottest loop of compaction, so it is written flat, as `wire.record_scan` is: a varint of one or two bytes is
read in line.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from reference_broker.wire.primitives import MalformedRequest, read_signed_varlong, signed_varint

AT_ONCE = 512
"""Records that are read before other work may go on: below a millisecond of it."""


class Columns(Struct):
    """Some of the records of a batch, in order. `fields` is where what follows the timestamp begins."""

    starts: list[int] = []
    stops: list[int] = []
    fields: list[int] = []
    timestamp_deltas: list[int] = []
    offset_deltas: list[int] = []
    keys: list[bytes | None] = []
    has_values: list[bool] = []

    def __len__(self) -> int:
        return len(self.starts)

    def keep(self, wanted: list[bool]) -> None:
        """Leave out the records that are not wanted."""
        self.starts = [one for one, is_wanted in zip(self.starts, wanted, strict=True) if is_wanted]
        self.stops = [one for one, is_wanted in zip(self.stops, wanted, strict=True) if is_wanted]
        self.fields = [one for one, is_wanted in zip(self.fields, wanted, strict=True) if is_wanted]
        self.timestamp_deltas = [one for one, is_wanted in zip(self.timestamp_deltas, wanted, strict=True) if is_wanted]
        self.offset_deltas = [one for one, is_wanted in zip(self.offset_deltas, wanted, strict=True) if is_wanted]
        self.keys = [one for one, is_wanted in zip(self.keys, wanted, strict=True) if is_wanted]
        self.has_values = [one for one, is_wanted in zip(self.has_values, wanted, strict=True) if is_wanted]

    def bytes_of(self, payload: bytes) -> bytes:
        """The records as they stand in the payload that they were read from."""
        return b"".join([payload[start:stop] for start, stop in zip(self.starts, self.stops, strict=True)])

    def retimed(self, payload: bytes, later_ms: int) -> bytes:
        """The same with timestamps that are told from a base that is so much later."""
        parts: list[bytes] = []
        for field, stop, delta in zip(self.fields, self.stops, self.timestamp_deltas, strict=True):
            timestamp = signed_varint(delta - later_ms)
            parts += (signed_varint(1 + len(timestamp) + stop - field), b"\0", timestamp, payload[field:stop])
        return b"".join(parts)


def columns_of(payload: bytes, count: int) -> Iterator[Columns]:
    """All records of a batch, some at a time. MalformedRequest where they do not fill the payload."""
    at = 0
    for left in range(count, 0, -AT_ONCE):
        columns, at = _read(payload, at, min(left, AT_ONCE))
        yield columns
    if at != len(payload):
        raise MalformedRequest(f"{len(payload) - at} bytes follow the last of {count} records")


def _read(payload: bytes, at: int, count: int) -> tuple[Columns, int]:
    """So many records from a position on, and where they end."""
    starts: list[int] = []
    stops: list[int] = []
    fields: list[int] = []
    times: list[int] = []
    offsets: list[int] = []
    keys: list[bytes | None] = []
    has_values: list[bool] = []
    end = len(payload)
    try:
        for _ in range(count):
            starts.append(at)
            raw = payload[at]
            at += 1
            if raw > 127:
                high = payload[at]
                at += 1
                raw, at = ((raw & 127) | (high << 7), at) if high < 128 else _zigzag(payload, at - 2)
            stop = at + (raw >> 1)
            if raw & 1 or stop > end:
                raise MalformedRequest(f"a record claims a size that {end - at} bytes left cannot hold")
            raw = payload[at + 1]  # one byte of attributes, unused, stands before it
            at += 2
            if raw > 127:
                high = payload[at]
                at += 1
                raw, at = ((raw & 127) | (high << 7), at) if high < 128 else _zigzag(payload, at - 2)
            times.append((raw >> 1) ^ -(raw & 1))
            fields.append(at)
            raw = payload[at]
            at += 1
            if raw > 127:
                high = payload[at]
                at += 1
                raw, at = ((raw & 127) | (high << 7), at) if high < 128 else _zigzag(payload, at - 2)
            offsets.append((raw >> 1) ^ -(raw & 1))
            raw = payload[at]
            at += 1
            if raw > 127:
                high = payload[at]
                at += 1
                raw, at = ((raw & 127) | (high << 7), at) if high < 128 else _zigzag(payload, at - 2)
            if raw & 1:
                keys.append(None)
            else:
                size = raw >> 1
                keys.append(payload[at : at + size])
                at += size
            if at >= stop:
                raise MalformedRequest(f"the key of a record runs {at - stop} bytes past its end")
            has_values.append(not payload[at] & 1)  # the length of the value: odd is below zero
            at = stop
            stops.append(stop)
    except IndexError:
        raise MalformedRequest("a record is cut off") from None
    return Columns(starts, stops, fields, times, offsets, keys, has_values), at


def _zigzag(payload: bytes, at: int) -> tuple[int, int]:
    """(value as it stands in the bytes, position after it): odd for what is below zero."""
    value, at = read_signed_varlong(payload, at)
    return (value << 1 if value >= 0 else (-value << 1) - 1), at
