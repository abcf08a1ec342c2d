"""The offset index and the time index of a segment.

Entries live in memory. Their files are there from the first batch on and follow a little later, as those of Kafka on
a live folder do; after a crash they are rebuilt from the log, which alone is the truth. Source: Kafka documentation,
"Log", and the files that Kafka writes.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from array import array
from bisect import bisect_left, bisect_right

from reference_broker.environment import Disk

OFFSET_ENTRY = struct.Struct(">ii")
TIME_ENTRY = struct.Struct(">qi")


class CorruptIndex(Exception):
    """An index file that cannot be right; it has to be rebuilt from the log."""


class _Index(ABC):
    """Two columns in memory and their file; entries of `entry` are added at the end, and taken back from there.

    `most` entries make it full: then the segment has to roll before another one.
    """

    def __init__(self, disk: Disk, path: str, entry: struct.Struct, most: int) -> None:
        self._disk, self.path, self._entry, self._most = disk, path, entry, most
        self._keys = array("q")
        self._values = array("q")
        self._written = -1
        self.is_full = most <= 0
        """Asked with every batch, so it is no property."""

    @property
    def last(self) -> tuple[int, int]:
        """The last entry, (-1, 0) when there is none."""
        return (self._keys[-1], self._values[-1]) if self._keys else (-1, 0)

    @property
    def bytes(self) -> int:
        """The size of its file once it is written."""
        return len(self._keys) * self._entry.size

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
        if len(raw) % self._entry.size:
            raise CorruptIndex(f"{self.path} has {len(raw)} bytes, no multiple of {self._entry.size}")
        for key, value in self._entry.iter_unpack(raw):
            if key == 0 and value == 0:
                break  # the preallocated tail of an index that was not closed: no entry is about the first batch
            self._take(key, value)
        self._written = len(self._keys) if len(raw) == self.bytes else -1

    @abstractmethod
    def _take(self, key: int, value: int) -> None:
        """Add an entry of the file. CorruptIndex when it cannot follow the one before."""

    def clear(self, beyond: int | None = None) -> None:
        """Forget the entries whose value is at or beyond a bound, or all."""
        keep = 0 if beyond is None else bisect_left(self._values, beyond)
        del self._keys[keep:], self._values[keep:]
        self._written = -1
        self.is_full = keep >= self._most

    def write(self) -> None:
        """Bring the file up to date: what it lacks is added, unless entries were taken back."""
        written, count = self._written, len(self._keys)
        if written == count:
            return
        pairs = zip(self._keys[max(0, written) :], self._values[max(0, written) :], strict=True)
        data = b"".join(self._entry.pack(*pair) for pair in pairs)
        if written > 0:
            file = self._disk.open(self.path)
            try:
                file.append((data,))
            finally:
                file.close()
        else:
            self._disk.write_plainly(self.path, data)
        self._written = count


class OffsetIndex(_Index):
    """Sparse map from offset (relative to the segment's base) to the position of the batch that ends with it."""

    def __init__(self, disk: Disk, path: str, capacity_bytes: int) -> None:
        super().__init__(disk, path, OFFSET_ENTRY, capacity_bytes // OFFSET_ENTRY.size)

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, relative_offset: int, position: int) -> None:
        """Note that the batch at `position` ends with this offset."""
        self._keys.append(relative_offset)
        self._values.append(position)
        self.is_full = len(self._keys) >= self._most

    def _take(self, key: int, value: int) -> None:
        last = self.last if self._keys else (-1, -1)
        if key <= last[0] or value <= last[1]:
            raise CorruptIndex(f"{self.path}: the entry {(key, value)} follows {last}")
        self.add(key, value)

    def position_at_or_before(self, relative_offset: int) -> int:
        """A position from which a scan meets the batch that holds the offset; 0 where nothing is known."""
        at = bisect_right(self._keys, relative_offset) - 1
        return self._values[at] if at >= 0 else 0

    def offset_at_or_after(self, position: int) -> int | None:
        """Relative offset of the first entry whose position is not lower; None where there is none."""
        at = bisect_left(self._values, position)
        return self._keys[at] if at < len(self._keys) else None


class TimeIndex(_Index):
    """Sparse map from the largest timestamp so far to the last offset of the batch that brought it.

    One place is kept for the entry at the segment's end.
    """

    def __init__(self, disk: Disk, path: str, capacity_bytes: int) -> None:
        super().__init__(disk, path, TIME_ENTRY, capacity_bytes // TIME_ENTRY.size - 1)

    def add(self, timestamp: int, relative_offset: int) -> None:
        """Note the largest timestamp so far; one that is not larger than the last entry's is left out."""
        if timestamp > (self._keys[-1] if self._keys else -1):
            self._keys.append(timestamp)
            self._values.append(relative_offset)
            self.is_full = len(self._keys) >= self._most

    def _take(self, key: int, value: int) -> None:
        if key < self.last[0] or (self._values and value < self._values[-1]):
            raise CorruptIndex(f"{self.path}: timestamp {key} at offset {value} follows {self.last}")
        self.add(key, value)

    def offset_before(self, timestamp: int) -> int:
        """Relative offset of the last entry with a smaller timestamp; 0 where there is none."""
        at = bisect_right(self._keys, timestamp - 1) - 1
        return self._values[at] if at >= 0 else 0
