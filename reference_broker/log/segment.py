"""One file of a partition's log, with its indexes."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from reference_broker.environment import Disk, File
from reference_broker.log.config import LogConfig
from reference_broker.log.indexes import CorruptIndex, OffsetIndex, TimeIndex
from reference_broker.log.transaction_index import TransactionIndex
from reference_broker.wire.primitives import Buffer, MalformedRequest
from reference_broker.wire.records import HEADER_SIZE, LENGTH_END, BatchHeader, parse_batch_header

READ_AHEAD = 64 * 1024
REMEMBERED_POSITIONS = 8192
"""Batches at the tail whose positions stay in memory, so that readers near the end need no scan."""
SNAPSHOT = ".snapshot"
SUFFIXES = (".log", ".index", ".timeindex", ".txnindex", SNAPSHOT)


class Segment:
    """Batches from `base_offset` on. `next_offset` is where the following segment begins."""

    def __init__(
        self,
        disk: Disk,
        directory: str,
        base_offset: int,
        config: LogConfig,
        *,
        create: bool = True,
        suffix: str = "",
    ) -> None:
        """`suffix` is for a segment that does not count yet, or not any more: it follows the names of all files."""
        stem = f"{directory}/{base_offset:020d}"
        self.disk, self.stem, self.base_offset = disk, stem, base_offset
        self._suffix = suffix
        self.file: File = disk.open(f"{stem}.log{suffix}", create=create)
        self.size = self.file.size
        """Bytes in the log file."""
        self.offsets = OffsetIndex(disk, f"{stem}.index{suffix}", config.segment_index_bytes)
        self.times = TimeIndex(disk, f"{stem}.timeindex{suffix}", config.segment_index_bytes)
        self.aborted = TransactionIndex(disk, f"{stem}.txnindex{suffix}")
        self.next_offset = base_offset
        self.max_timestamp = -1
        self.offset_of_max_timestamp = -1
        self.first_timestamp: int | None = None
        self.is_closed = False
        self._interval = config.index_interval_bytes
        self._since_entry = 0
        self._seen_offsets = array("q")
        self._seen_positions = array("q")

    def append(self, header: BatchHeader, buffers: Sequence[Buffer]) -> None:
        """Write one batch whose header and offsets are final."""
        position = self.file.append(buffers)
        self.size = position + header.batch_length + LENGTH_END
        seen = self._seen_offsets
        seen.append(header.base_offset)
        self._seen_positions.append(position)
        if len(seen) > 2 * REMEMBERED_POSITIONS:
            del seen[:REMEMBERED_POSITIONS], self._seen_positions[:REMEMBERED_POSITIONS]
        self.note(header, position)
        if not position:
            self.keep_indexes()

    def keep_indexes(self) -> None:
        """Bring the files of the indexes up to date; the time index gets its last entry when the segment is closed."""
        self.offsets.write()
        self.times.write()

    def note(self, header: BatchHeader, position: int) -> None:
        """Take a batch that stands at a position into the indexes."""
        last = header.base_offset + header.last_offset_delta
        if self.first_timestamp is None:
            self.first_timestamp = header.max_timestamp
        if header.max_timestamp > self.max_timestamp:
            self.max_timestamp, self.offset_of_max_timestamp = header.max_timestamp, last
        if self._since_entry > self._interval:
            self.offsets.add(last - self.base_offset, position)
            self.times.add(self.max_timestamp, self.offset_of_max_timestamp - self.base_offset)
            self._since_entry = 0
        self._since_entry += header.batch_length + LENGTH_END
        self.next_offset = last + 1

    def headers_from(self, position: int = 0) -> Iterator[tuple[int, BatchHeader]]:
        """(position, header) of each whole batch; ends at the end of the file or at bytes that are no batch."""
        buffer, start, size = b"", position, self.size
        while position + HEADER_SIZE <= size:
            if position < start or position + HEADER_SIZE > start + len(buffer):
                start, buffer = position, self.file.read_at(position, READ_AHEAD)
            try:
                header = parse_batch_header(buffer, position - start)
            except MalformedRequest:
                return
            if position + header.size_in_bytes > size:
                return
            yield position, header
            position += header.size_in_bytes

    def position_of(self, offset: int) -> int:
        """Position of the batch that holds an offset, or of the next one; the size when all batches lie before."""
        seen = self._seen_offsets
        if seen and offset >= seen[0]:
            if offset >= self.next_offset:
                return self.size
            return self._seen_positions[bisect_right(seen, offset) - 1]
        start = self.offsets.position_at_or_before(offset - self.base_offset)
        for position, header in self.headers_from(start):
            if header.last_offset >= offset:
                return position
        return self.size

    def offset_at_or_after(self, position: int) -> int | None:
        """The offset of the first index entry for a position or a later one; None where there is none."""
        found = self.offsets.offset_at_or_after(position)
        return None if found is None else self.base_offset + found

    def size_of_batch_at(self, position: int) -> int:
        """Bytes of the batch that begins at a position; 0 where no whole batch does."""
        seen = self._seen_positions
        if seen and position >= seen[0]:
            after = bisect_right(seen, position)
            return (seen[after] if after < len(seen) else self.size) - position
        for _, header in self.headers_from(position):
            return header.size_in_bytes
        return 0

    def read_batch(self, position: int, header: BatchHeader) -> bytes:
        """All bytes of the batch at a position."""
        return self.file.read_at(position, header.size_in_bytes)

    def batches_at_or_after(self, timestamp: int) -> Iterator[tuple[int, BatchHeader]]:
        """(position, header) of the batches with a record of that timestamp or later, in order."""
        start = self.offsets.position_at_or_before(self.times.offset_before(timestamp))
        return (found for found in self.headers_from(start) if found[1].max_timestamp >= timestamp)

    def load_indexes(self) -> None:
        """Take the indexes from their files. CorruptIndex when they cannot be right."""
        self.offsets.load()
        self.times.load()
        self.aborted.load()
        if self.size and self.offsets.last[1] >= self.size:
            raise CorruptIndex(f"{self.stem}.index points to {self.offsets.last[1]}, the log has {self.size} bytes")
        self.max_timestamp = self.times.last[0]
        self.offset_of_max_timestamp = self.base_offset + self.times.last[1]
        for _, header in self.headers_from():
            self.first_timestamp = header.max_timestamp
            break
        start = self.offsets.position_at_or_before(1 << 62)
        for _, header in self.headers_from(start):
            self.next_offset = header.next_offset
            if header.max_timestamp > self.max_timestamp:
                self.max_timestamp, self.offset_of_max_timestamp = header.max_timestamp, header.last_offset

    def reconfigure(self, config: LogConfig) -> None:
        """Let another index interval count from now on; the indexes keep the size they began with."""
        self._interval = config.index_interval_bytes

    def truncate(self, position: int) -> None:
        """Cut the file at the start of a batch, and the indexes with it; only what follows the last entry is read."""
        self.cut(position)
        if not position:
            self.forget()
            self.aborted.cut(self.base_offset)
            return
        self.offsets.clear(position)
        self._forget_positions(position)
        tail = [header for _, header in self.headers_from(self.offsets.last[1])]
        self._since_entry = sum(header.size_in_bytes for header in tail)
        self.next_offset = tail[-1].next_offset
        self.times.clear(self.next_offset - self.base_offset)
        self.max_timestamp = self.times.last[0]
        self.offset_of_max_timestamp = self.base_offset + self.times.last[1]
        for header in tail:
            if header.max_timestamp > self.max_timestamp:
                self.max_timestamp, self.offset_of_max_timestamp = header.max_timestamp, header.last_offset
        self.aborted.cut(self.next_offset)

    def _forget_positions(self, beyond: int) -> None:
        keep = bisect_left(self._seen_positions, beyond)
        del self._seen_offsets[keep:], self._seen_positions[keep:]

    def cut(self, position: int) -> None:
        """Cut the file, and nothing but the file."""
        self.file.truncate(position)
        self.size = position

    def forget(self) -> None:
        """Empty the indexes and what they told, to note every batch again."""
        self.offsets.clear()
        self.times.clear()
        del self._seen_offsets[:], self._seen_positions[:]
        self.next_offset, self.max_timestamp, self.offset_of_max_timestamp = self.base_offset, -1, -1
        self.first_timestamp, self._since_entry = None, 0

    def finish(self) -> None:
        """The segment gets no more batches: close the time index with the last word and write both."""
        if self.max_timestamp >= 0:
            self.times.add(self.max_timestamp, self.offset_of_max_timestamp - self.base_offset)
        self.keep_indexes()
        del self._seen_offsets[:], self._seen_positions[:]

    def flush(self) -> None:
        """Bring log and indexes to stable storage."""
        self.file.flush()

    def close(self) -> None:
        """Write the indexes and release the file."""
        self.finish()
        self.is_closed = True
        self.file.close()

    def remove(self) -> None:
        """Release and delete all files of the segment."""
        self.is_closed = True
        self.file.close()
        for suffix in SUFFIXES:
            self.disk.remove(f"{self.stem}{suffix}{self._suffix}")

    def change_suffix(self, suffix: str) -> None:
        """Rename all files of the segment, the log first: after a crash on the way it tells what the others are."""
        self.file.rename(f"{self.stem}.log{suffix}")
        for index in (self.offsets, self.times, self.aborted):
            index.move(f"{index.path.removesuffix(self._suffix)}{suffix}")
        self._suffix = suffix
