"""Checks the records of a batch without making objects of them: what a broker must do to everything it accepts.

This is the hottest loop of the broker, so it is written flat, with the one-byte case of each varint in line.
"""

from __future__ import annotations

from typing import NamedTuple

from reference_broker.wire.primitives import Buffer, MalformedRequest, read_signed_varlong


class Scan(NamedTuple):
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
    data = payload if isinstance(payload, bytes) else bytes(payload)
    at, end, index = 0, len(data), 0
    latest, earliest, latest_at = -(1 << 63), 1 << 63, -1
    keyless: list[int] = []
    are_sequential = True
    try:
        while index < count:
            size = data[at]
            at += 1
            if size > 127:
                byte = data[at]
                at += 1
                size = (size & 0x7F) | (byte << 7)
                if byte > 127:
                    size, at = read_signed_varlong(data, at - 2)
                    size = size << 1 if size >= 0 else 1
            if size & 1:
                raise MalformedRequest(f"record {index} has a negative size")
            stop = at + (size >> 1)
            if stop > end:
                raise MalformedRequest(f"record {index} claims {size >> 1} bytes, {end - at} are left")
            at += 1
            delta = data[at]
            at += 1
            if delta > 127:
                delta, at = read_signed_varlong(data, at - 1)
            else:
                delta = (delta >> 1) ^ -(delta & 1)
            if delta > latest:
                latest, latest_at = delta, index
            if delta < earliest:
                earliest = delta
            offset = data[at]
            at += 1
            if offset > 127:
                offset, at = read_signed_varlong(data, at - 1)
            else:
                offset = (offset >> 1) ^ -(offset & 1)
            if offset != index:
                are_sequential = False
            size = data[at]
            at += 1
            if size > 127:
                size, at = read_signed_varlong(data, at - 1)
            else:
                size = (size >> 1) ^ -(size & 1)
            if size >= 0:
                at += size
            elif wants_keys:
                keyless.append(index)
            size = data[at]
            at += 1
            if size > 127:
                byte = data[at]
                at += 1
                if byte > 127:
                    size, at = read_signed_varlong(data, at - 2)
                else:
                    size = (size & 0x7F) | (byte << 7)
                    size = (size >> 1) ^ -(size & 1)
            else:
                size = (size >> 1) ^ -(size & 1)
            if size > 0:
                at += size
            if data[at]:
                at = _skip_headers(data, at, stop, index)
            else:
                at += 1
            if at != stop:
                raise MalformedRequest(f"the fields of record {index} end {stop - at} bytes before the record does")
            index += 1
    except IndexError:
        raise MalformedRequest(f"record {index} is cut off") from None
    if at != end:
        raise MalformedRequest(f"{end - at} bytes follow the last of {count} records")
    return Scan(latest, earliest, latest_at, tuple(keyless), are_sequential)


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
