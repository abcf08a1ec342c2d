"""The offset index and the time index of a segment.

Entries live in memory. Their files are there from the first batch on and follow a little later, as those of Kafka on
a live folder do; after a crash they are rebuilt from the log, which alone is the truth. Source: Kafka documentation,
"Log", and the files that Kafka writes.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left, bisect_right

from reference_broker.environment import Disk

OFFSET_ENTRY = struct.Struct(">ii")
TIME_ENTRY = struct.Struct(">qi")


class CorruptIndex(Exception):
    """An index file that cannot be right; it has to be rebuilt from the log."""


def _append(disk: Disk, path: str, data: bytes) -> None:
    file = disk.open(path)
    try:
        file.append((data,))
    finally:
        file.close()


class OffsetIndex:
    """Sparse map from offset (relative to the segment's base) to the position of the batch that ends with it."""

    def __init__(self, disk: Disk, path: str, capacity_bytes: int) -> None:
        self._disk, self.path = disk, path
        self._capacity = capacity_bytes // OFFSET_ENTRY.size
        self._offsets = array("q")
        self._positions = array("q")
        self._written = -1
        self.is_full = self._capacity <= 0
        """Whether the segment has to roll before another entry: asked with every batch, so it is no property."""

    def __len__(self) -> int:
        return len(self._offsets)

    @property
    def last(self) -> tuple[int, int]:
        """(relative offset, position) of the last entry, (-1, 0) when there is none."""
        return (self._offsets[-1], self._positions[-1]) if self._offsets else (-1, 0)

    def add(self, relative_offset: int, position: int) -> None:
        """Note that the batch at `position` ends with this offset."""
        self._offsets.append(relative_offset)
        self._positions.append(position)
        self.is_full = len(self._offsets) >= self._capacity

    def position_at_or_before(self, relative_offset: int) -> int:
        """A position from which a scan meets the batch that holds the offset; 0 where nothing is known."""
        at = bisect_right(self._offsets, relative_offset) - 1
        return self._positions[at] if at >= 0 else 0

    def offset_at_or_after(self, position: int) -> int | None:
        """Relative offset of the first entry whose position is not lower; None where there is none."""
        at = bisect_left(self._positions, position)
        return self._offsets[at] if at < len(self._offsets) else None

    @property
    def bytes(self) -> int:
        """The size of its file once it is written."""
        return len(self._offsets) * OFFSET_ENTRY.size

    def move(self, path: str) -> None:
        """Rename its file."""
        if self._disk.exists(self.path):
            self._disk.rename(self.path, path)
        self.path = path

    def load(self) -> None:
        """Read the file. CorruptIndex when it is missing, or its entries do not grow."""
        try:
            raw = self._disk.read(self.path)
        except FileNotFoundError:
            raise CorruptIndex(f"{self.path} is missing") from None
        self.clear()
        if len(raw) % OFFSET_ENTRY.size:
            raise CorruptIndex(f"{self.path} has {len(raw)} bytes, no multiple of {OFFSET_ENTRY.size}")
        last = (-1, -1)
        for entry in OFFSET_ENTRY.iter_unpack(raw):
            if entry == (0, 0):
                break  # the preallocated tail of an index that was not closed: no entry points to the first batch
            if entry[0] <= last[0] or entry[1] <= last[1]:
                raise CorruptIndex(f"{self.path}: the entry {entry} follows {last}")
            last = entry
            self.add(*entry)
        self._written = len(self._offsets) if len(raw) == self.bytes else -1

    def clear(self, beyond: int | None = None) -> None:
        """Forget the entries whose position is at or beyond a byte position, or all."""
        keep = 0
        if beyond is not None:
            while keep < len(self._positions) and self._positions[keep] < beyond:
                keep += 1
        del self._offsets[keep:], self._positions[keep:]
        self._written = -1
        self.is_full = keep >= self._capacity

    def write(self) -> None:
        """Bring the file up to date: what it lacks is added, unless entries were taken back."""
        written, count = self._written, len(self._offsets)
        if written == count:
            return
        pairs = zip(self._offsets[max(0, written) :], self._positions[max(0, written) :], strict=True)
        data = b"".join(OFFSET_ENTRY.pack(*pair) for pair in pairs)
        if written > 0:
            _append(self._disk, self.path, data)
        else:
            self._disk.write_plainly(self.path, data)
        self._written = count


class TimeIndex:
    """Sparse map from the largest timestamp so far to the last offset of the batch that brought it."""

    def __init__(self, disk: Disk, path: str, capacity_bytes: int) -> None:
        self._disk, self.path = disk, path
        self._capacity = capacity_bytes // TIME_ENTRY.size
        self._timestamps = array("q")
        self._offsets = array("q")
        self._written = -1
        self.is_full = self._capacity <= 1
        """Whether the segment has to roll before another entry; one place is kept for the entry at its end."""

    @property
    def last(self) -> tuple[int, int]:
        """(timestamp, relative offset) of the last entry, (-1, 0) when there is none."""
        return (self._timestamps[-1], self._offsets[-1]) if self._timestamps else (-1, 0)

    def add(self, timestamp: int, relative_offset: int) -> None:
        """Note the largest timestamp so far; one that is not larger than the last entry's is left out."""
        if timestamp > (self._timestamps[-1] if self._timestamps else -1):
            self._timestamps.append(timestamp)
            self._offsets.append(relative_offset)
            self.is_full = len(self._timestamps) >= self._capacity - 1

    def offset_before(self, timestamp: int) -> int:
        """Relative offset of the last entry with a smaller timestamp; 0 where there is none."""
        at = bisect_right(self._timestamps, timestamp - 1) - 1
        return self._offsets[at] if at >= 0 else 0

    @property
    def bytes(self) -> int:
        """The size of its file once it is written."""
        return len(self._offsets) * TIME_ENTRY.size

    def move(self, path: str) -> None:
        """Rename its file."""
        if self._disk.exists(self.path):
            self._disk.rename(self.path, path)
        self.path = path

    def load(self) -> None:
        """Read the file. CorruptIndex when it is missing, or its entries do not grow."""
        try:
            raw = self._disk.read(self.path)
        except FileNotFoundError:
            raise CorruptIndex(f"{self.path} is missing") from None
        self.clear()
        if len(raw) % TIME_ENTRY.size:
            raise CorruptIndex(f"{self.path} has {len(raw)} bytes, no multiple of {TIME_ENTRY.size}")
        for timestamp, offset in TIME_ENTRY.iter_unpack(raw):
            if timestamp == 0 and offset == 0:
                break
            if timestamp < self.last[0] or (self._offsets and offset < self._offsets[-1]):
                raise CorruptIndex(f"{self.path}: timestamp {timestamp} at offset {offset} follows {self.last}")
            self.add(timestamp, offset)
        self._written = len(self._timestamps) if len(raw) == self.bytes else -1

    def clear(self, beyond: int | None = None) -> None:
        """Forget the entries at or beyond a relative offset, or all."""
        keep = 0
        if beyond is not None:
            while keep < len(self._offsets) and self._offsets[keep] < beyond:
                keep += 1
        del self._offsets[keep:], self._timestamps[keep:]
        self._written = -1
        self.is_full = keep >= self._capacity - 1

    def write(self) -> None:
        """Bring the file up to date: what it lacks is added, unless entries were taken back."""
        written, count = self._written, len(self._timestamps)
        if written == count:
            return
        pairs = zip(self._timestamps[max(0, written) :], self._offsets[max(0, written) :], strict=True)
        data = b"".join(TIME_ENTRY.pack(*pair) for pair in pairs)
        if written > 0:
            _append(self._disk, self.path, data)
        else:
            self._disk.write_plainly(self.path, data)
        self._written = count
