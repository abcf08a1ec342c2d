"""Checks the records of a batch without making objects of them: what a broker must do to everything it accepts.

This is the hottest loop of the broker, so it is written flat: a varint of one or two bytes is read in line and kept
zigzagged, where an odd one is below zero. Records that look alike are taken many at a time (`record_runs`).
"""

from __future__ import annotations

from reference_broker.wire.primitives import Buffer, Frozen, MalformedRequest, read_signed_varlong
from reference_broker.wire.record_runs import WIDE_FROM, run_after, run_of_all

PATIENCE = 32
"""How many records to walk over before the next look for a run, when there was none."""


class Scan(Frozen, frozen=True):
    """What a batch's records look like as a whole."""

    max_timestamp_delta: int
    min_timestamp_delta: int
    index_of_max_timestamp: int
    keyless: tuple[int, ...]
    """Indices of records without a key."""
    are_offsets_sequential: bool


def scan_records(payload: Buffer, count: int, *, wants_keys: bool = False) -> Scan:
    """Walk over `count` records. MalformedRequest when they do not fill the payload exactly.

    `wants_keys` asks for `keyless`, which only compacted topics need.
    """
    if 1 < count <= WIDE_FROM:
        run = run_of_all(payload, count, wants_keys=wants_keys)
        if run is not None:
            return Scan(run.latest, run.earliest, run.latest_at, tuple(run.keyless), are_offsets_sequential=True)
    return _walk(payload if isinstance(payload, bytes) else bytes(payload), count, wants_keys=wants_keys)


def _walk(data: bytes, count: int, *, wants_keys: bool) -> Scan:
    at, end, index = 0, len(data), 0
    latest, earliest, latest_at = -(1 << 63), 1 << 63, -1
    keyless: list[int] = []
    are_sequential, try_run_at = True, 1
    try:
        while index < count:
            start, raw = at, data[at]
            at += 1
            if raw > 127:
                high = data[at]
                at += 1
                raw, at = ((raw & 127) | (high << 7), at) if high < 128 else _zigzag(data, at - 2)
            stop = at + (raw >> 1)
            if raw & 1 or stop > end:
                raise MalformedRequest(f"record {index} claims a size that {end - at} bytes left cannot hold")
            raw = data[at + 1]  # one byte of attributes, unused, stands before it
            at += 2
            if raw > 127:
                high = data[at]
                at += 1
                raw, at = ((raw & 127) | (high << 7), at) if high < 128 else _zigzag(data, at - 2)
            delta = (raw >> 1) ^ -(raw & 1)
            if delta > latest:
                latest, latest_at = delta, index
            if delta < earliest:
                earliest = delta
            raw = data[at]
            at += 1
            if raw > 127:
                high = data[at]
                at += 1
                raw, at = ((raw & 127) | (high << 7), at) if high < 128 else _zigzag(data, at - 2)
            if raw != index << 1:
                are_sequential = False
            raw = data[at]
            at += 1
            if raw > 127:
                high = data[at]
                at += 1
                raw, at = ((raw & 127) | (high << 7), at) if high < 128 else _zigzag(data, at - 2)
            if not raw & 1:
                at += raw >> 1
            elif wants_keys:
                keyless.append(index)
            raw = data[at]
            at += 1
            if raw > 127:
                high = data[at]
                at += 1
                raw, at = ((raw & 127) | (high << 7), at) if high < 128 else _zigzag(data, at - 2)
            if not raw & 1:
                at += raw >> 1
            if data[at]:
                at = _skip_headers(data, at, stop, index)
            else:
                at += 1
            if at != stop:
                raise MalformedRequest(f"the fields of record {index} end {stop - at} bytes before the record does")
            index += 1
            if index >= try_run_at and at < end and data[at] == data[start]:
                run = run_after(data, start, at, index, count, wants_keys=wants_keys)
                if run is None:
                    try_run_at = index + PATIENCE
                    continue
                if run.latest > latest:
                    latest, latest_at = run.latest, run.latest_at
                earliest = min(earliest, run.earliest)
                keyless += run.keyless
                at, index = run.stop, run.next_index
    except IndexError:
        raise MalformedRequest(f"record {index} is cut off") from None
    if at != end:
        raise MalformedRequest(f"{end - at} bytes follow the last of {count} records")
    return Scan(latest, earliest, latest_at, tuple(keyless), are_sequential)


def _zigzag(data: bytes, at: int) -> tuple[int, int]:
    """(value as it stands in the bytes, position after it): odd for what is below zero."""
    value, at = read_signed_varlong(data, at)
    return (value << 1 if value >= 0 else (-value << 1) - 1), at


def _skip_headers(data: bytes, at: int, stop: int, index: int) -> int:
    count, at = read_signed_varlong(data, at)
    if count < 0 or count * 2 > stop - at:
        raise MalformedRequest(f"record {index} claims {count} headers")
    for _ in range(count):
        size, at = read_signed_varlong(data, at)
        if size < 0:
            raise MalformedRequest(f"a header of record {index} has no name")
        at += size
        size, at = read_signed_varlong(data, at)
        if size > 0:
            at += size
        if at > stop:
            raise MalformedRequest(f"the headers of record {index} run past its end")
    return at
