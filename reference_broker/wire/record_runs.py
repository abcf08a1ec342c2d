"""Runs of records that look alike: many producers send records of one size, and a run is checked as columns of bytes.

The records of a run have the same size, and the same lengths of key and value, so each of their bytes that says where
something is stands in one column: a slice with a step, compared in one go. It gives the answers of a walk over the
records, or none at all.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Final

from reference_broker.wire.primitives import Buffer, Frozen, read_signed_varlong

SHORTEST: Final = 8
"""A run that is shorter is not worth it."""
SMALLEST: Final = 7
"""A record has at least so many bytes."""
WIDE_FROM: Final = 64
WIDER_FROM: Final = 8192
"""Offset deltas from these on take two and three bytes."""
SINGLE: Final = tuple(bytes((value,)) for value in range(256))
EVEN: Final = bytes(range(0, 256, 2))
NARROW_DELTAS: Final = bytes(range(0, 2 * WIDE_FROM, 2))
WIDE_DELTAS_LOW: Final = bytes((2 * delta & 0x7F) | 0x80 for delta in range(WIDER_FROM))
WIDE_DELTAS_HIGH: Final = bytes(2 * delta >> 7 for delta in range(WIDER_FROM))


class Run(Frozen, frozen=True):
    """Records without headers, their offsets in sequence, up to but without `next_index`, which begins at `stop`."""

    stop: int
    next_index: int
    latest: int
    latest_at: int
    """The index of the first that has the largest timestamp delta."""
    earliest: int
    keyless: range
    """The indices of those without a key."""


def run_of_all(data: Buffer, count: int, *, wants_keys: bool = False) -> Run | None:
    """All records of a small batch, where they look alike; None where that is not so, or cannot be said quickly.

    `wants_keys` asks for `keyless`. The buffer is not copied: the bytes that say something are taken out in one go.
    """
    size, rest = divmod(len(data), count)
    if rest or size < SMALLEST:
        return None
    claimed, attributes_at = read_signed_varlong(data, 0)
    timestamp_at, key_at = attributes_at + 1, attributes_at + 3
    if attributes_at + claimed != size or data[timestamp_at] > 0x7F or data[timestamp_at + 1]:
        return None  # the first record's offset delta is not 0, or its timestamp delta takes more than one byte
    key_size, key_from = read_signed_varlong(data, key_at)
    value_at = key_from + key_size if key_size > 0 else key_from
    if value_at >= size:
        return None
    value_size, value_from = read_signed_varlong(data, value_at)
    if (value_from + value_size if value_size > 0 else value_from) != size - 1:
        return None
    fields = _fields_of(count, size, timestamp_at, key_from - key_at, value_at - key_from, value_from - value_at)
    taken = fields.unpack_from(data)
    starts, times, offsets, keys, values = taken[0::6], taken[1::6], taken[2::6], taken[3::6], taken[4::6]
    if (
        bytes(offsets) != NARROW_DELTAS[:count]
        or starts.count(starts[0]) != count
        or keys.count(keys[0]) != count
        or values.count(values[0]) != count
        or any(taken[5::6])  # headers
    ):
        return None
    latest = max(times)
    if latest > 0x7F or bytes(times).translate(None, EVEN):
        return None
    return Run(
        len(data),
        count,
        latest >> 1,
        times.index(latest),
        min(times) >> 1,
        range(count if wants_keys and key_size < 0 else 0),
    )


@lru_cache(64)
def _fields_of(count: int, size: int, start: int, key: int, gap: int, value: int) -> struct.Struct:
    """Of each record: start, timestamp delta, offset delta, length of key, length of value, number of headers."""
    return struct.Struct(f"{start}sBB{key}s{gap}x{value}s{size - start - 3 - key - gap - value}xB" * count)


def run_after(data: bytes, start: int, stop: int, index: int, count: int, *, wants_keys: bool = False) -> Run | None:
    """The records from `index` on that look like the one before them, which was found right in [start, stop).

    `wants_keys` asks for `keyless`.
    """
    size = stop - start
    width = 1 if index < WIDE_FROM else 2
    length = min(count - index, (len(data) - stop) // size, (WIDE_FROM if width == 1 else WIDER_FROM) - index)
    if length < SHORTEST:
        return None
    timestamp_at = read_signed_varlong(data, start)[1] + 1  # one byte of attributes, unused, stands before it
    offset_at = read_signed_varlong(data, timestamp_at)[1]
    key_at = read_signed_varlong(data, offset_at)[1]
    key_size, after = read_signed_varlong(data, key_at)
    value_at = after + max(key_size, 0)
    value_size, value_end = read_signed_varlong(data, value_at)
    if key_at - offset_at != width or value_end + max(value_size, 0) != stop - 1:
        return None
    for at in (*range(start, timestamp_at - 1), *range(key_at, after), *range(value_at, value_end), stop - 1):
        column = data[at + size : at + size * length + 1 : size]
        expected = data[at]
        if column.count(expected) != length:
            length -= len(column.lstrip(SINGLE[expected]))
            if length < SHORTEST:
                return None
    if not _are_offsets_next(data, offset_at + size, size, index, length, width):
        return None
    times = _timestamps(data, timestamp_at + size, size, length, offset_at - timestamp_at)
    if times is None:
        return None
    latest, latest_at, earliest = times
    keyless = range(index, index + length) if wants_keys and key_size < 0 else range(0)
    return Run(stop + size * length, index + length, latest, index + latest_at, earliest, keyless)


def _are_offsets_next(data: bytes, at: int, size: int, index: int, length: int, width: int) -> bool:
    """Whether the offset deltas go on with `index`."""
    end = at + size * (length - 1) + 1
    if width == 1:
        return data[at:end:size] == NARROW_DELTAS[index : index + length]
    return (
        data[at:end:size] == WIDE_DELTAS_LOW[index : index + length]
        and data[at + 1 : end + 1 : size] == WIDE_DELTAS_HIGH[index : index + length]
    )


def _timestamps(data: bytes, at: int, size: int, length: int, width: int) -> tuple[int, int, int] | None:
    """(largest delta, which of them has it first, smallest); None where they are not all of this width."""
    end = at + size * (length - 1) + 1
    low = data[at:end:size]
    if width == 1:
        if max(low) > 0x7F:
            return None
        if not low.translate(None, EVEN):  # none of them is below zero
            latest = max(low)
            return latest >> 1, low.index(latest), min(low) >> 1
        raw = list(low)
    elif width == 2:
        high = data[at + 1 : end + 1 : size]
        if min(low) < 0x80 or max(high) > 0x7F:
            return None
        raw = [(one & 0x7F) | (other << 7) for one, other in zip(low, high, strict=True)]
    else:
        return None
    deltas = [(one >> 1) ^ -(one & 1) for one in raw]
    latest = max(deltas)
    return latest, deltas.index(latest), min(deltas)
