"""Histories in files: lines of JSON, so that a person can read them, in blocks with a checksum.

The first line names the format. Every `BLOCK` operations a trailer holds their CRC-32C: a harness that dies leaves a
file that is good up to its last whole block, and a damaged file is noticed and not judged.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import msgspec
from crc32c import crc32c

from harness.history.history import History
from harness.history.operations import Operation, OpType, Value

BLOCK = 500
"""Operations in a block: the most that a dying harness can lose."""
FORMAT = 2
"""Version of the file's format, in its first line."""
_decode_lines = msgspec.json.Decoder(Operation).decode_lines


class HistoryTrouble(Exception):
    """A history file that cannot be read: what is wrong, in which line, and what to do."""


class HistoryWriter:
    """Appends operations to a file; any thread may. Each line reaches the operating system before `append` returns."""

    def __init__(
        self, path: Path, *, clock_ns: Callable[[], int] = time.monotonic_ns, started_at_ms: int | None = None
    ) -> None:
        """Makes the file; OSError when it exists: a history is never written twice."""
        self.path = path
        self.count = 0
        """Operations written."""
        self._clock_ns = clock_ns
        self._zero_ns = clock_ns()
        self._encode = msgspec.json.Encoder().encode
        self._lock = threading.Lock()
        self._in_block = 0
        self._checksum = 0
        self._is_torn = False
        self._file = path.open("xb", buffering=0)
        began = time.time_ns() // 1_000_000 if started_at_ms is None else started_at_ms
        self._write(self._encode({"history": FORMAT, "started_at_ms": began}) + b"\n")

    def append(
        self,
        process: str,
        kind: OpType,
        f: str,
        value: Value = None,
        *,
        error: str | None = None,
        of: int | None = None,
    ) -> int:
        """Writes an operation with the present time; its index."""
        with self._lock:
            index = self.count
            operation = Operation(
                index=index,
                time_ns=self._clock_ns() - self._zero_ns,
                process=process,
                kind=kind,
                f=f,
                value=value,
                error=error,
                of=of,
            )
            line = self._encode(operation) + b"\n"
            self.count += 1
            self._in_block += 1
            self._checksum = crc32c(line, self._checksum)
            self._write(line)
            if self._in_block == BLOCK:
                self._end_block()
        return index

    def _write(self, data: bytes) -> None:
        """All of it. OSError, which names the file, when it cannot be written: then nothing more is."""
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self._is_torn = True
            raise OSError(error.errno, error.strerror, str(self.path)) from error

    def _end_block(self) -> None:
        trailer = {"block": self._in_block, "crc32c": f"{self._checksum:08x}"}
        self._write(self._encode(trailer) + b"\n")
        self._in_block = 0
        self._checksum = 0

    def close(self) -> None:
        """Ends the last block and the history; may be called twice."""
        with self._lock:
            if self._file.closed:
                return
            if self._in_block and not self._is_torn:
                self._end_block()
            if not self._is_torn:
                self._write(self._encode({"end": self.count}) + b"\n")
            self._file.close()

    def __enter__(self) -> HistoryWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class StoredHistory:
    """A history in its file (AnyHistory): each pass reads it again, a block at a time.

    A pass raises HistoryTrouble where the file is damaged; a torn end is cut off, and `is_complete` is false.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_complete = False
        self.memo: dict[str, Any] = {}
        self._blocks: list[tuple[int, int, int]] = []
        """(index of its first operation, where it starts in the file, its size in bytes) of each block passed."""
        with _opened(path) as file:
            self.started_at_ms = _began(path, file.readline())

    def __iter__(self) -> Iterator[Operation]:
        for operations in self.blocks():
            yield from operations

    def blocks(self) -> Iterator[list[Operation]]:
        """The operations, block by block."""
        count = number = 0
        self.is_complete, self._blocks = False, []
        with _opened(self.path) as file:
            place = len(file.readline())
            held: list[bytes] = []
            for line in file:
                if line.startswith(b'{"block"'):
                    data = b"".join(held)
                    operations = _checked(self.path, number + 2, len(held), data, line, file)
                    if operations is None:
                        return
                    _require_numbered(self.path, number + 2, operations, count)
                    self._blocks.append((count, place, len(data)))
                    place += len(data) + len(line)
                    count, number, held = count + len(operations), number + len(held) + 1, []
                    yield operations
                elif line.startswith(b'{"end"'):
                    marker = _marker(line)
                    self.is_complete = marker is not None and marker.get("end") == count and not held
                else:
                    held.append(line)

    def operation(self, index: int) -> Operation:
        """One operation. IndexError when there is none."""
        if not self._blocks:
            for _ in self.blocks():
                pass
        which = bisect_right(self._blocks, index, key=lambda block: block[0]) - 1
        if index < 0 or which < 0:
            raise IndexError(f"there is no operation {index}")
        first, place, size = self._blocks[which]
        with _opened(self.path) as file:
            file.seek(place)
            return _decode_lines(file.read(size))[index - first]


def stream_history(path: Path) -> StoredHistory:
    """The history in a file, of which no more than a block is in memory. HistoryTrouble when it cannot be read."""
    return StoredHistory(path)


def read_history(path: Path) -> History:
    """The whole history in a file. HistoryTrouble when it is missing or damaged; a torn end is cut off and flagged."""
    stored = StoredHistory(path)
    operations = tuple(stored)
    return History(operations, is_complete=stored.is_complete, started_at_ms=stored.started_at_ms)


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as trouble:
        what = f"{path}: cannot be read: {trouble.strerror}; give the folder of a stored run"
        raise HistoryTrouble(what) from trouble


def _began(path: Path, line: bytes) -> int:
    """The time in the first line, in ms since 1970."""
    head = _marker(line)
    if head is None or type(head.get("history")) is not int or type(head.get("started_at_ms", 0)) is not int:
        raise HistoryTrouble(f"{path}, line 1: not a history written by this project")
    if head["history"] != FORMAT:
        raise HistoryTrouble(
            f"{path}, line 1: a history of format {head['history']}, and this version reads format {FORMAT}; "
            f"judge it with the version that wrote it, or run the check again"
        )
    return int(head.get("started_at_ms", 0))


def _checked(path: Path, first: int, lines: int, data: bytes, trailer: bytes, file: BinaryIO) -> list[Operation] | None:
    """The operations of a block that starts in line `first`; None where the file is torn in its trailer."""
    last = first + lines
    marker = _marker(trailer)
    if marker is None:
        if not file.readline():
            return None
        raise HistoryTrouble(f"{path}, line {last}: a damaged block trailer; the file cannot be judged")
    if lines != marker["block"] or f"{crc32c(data):08x}" != marker.get("crc32c"):
        raise HistoryTrouble(
            f"{path}, lines {first} to {last}: the block's checksum does not fit; the file was changed or damaged "
            f"after it was written, and cannot be judged. Restore it, or run the check again"
        )
    try:
        return _decode_lines(data)
    except (ValueError, RecursionError) as trouble:
        raise HistoryTrouble(f"{path}, before line {last}: {trouble}; written by another version?") from trouble


def _require_numbered(path: Path, first: int, operations: list[Operation], count: int) -> None:
    """HistoryTrouble where operations, of which the first stands in line `first`, are not numbered from `count` on."""
    for place, operation in enumerate(operations):
        if operation.index != count + place:
            raise HistoryTrouble(
                f"{path}, line {first + place}: operation {operation.index} stands where {count + place} should be; "
                f"the file is not as it was written, and cannot be judged"
            )


def _marker(line: bytes) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(line)
    except (ValueError, RecursionError):  # bytes that are no UTF-8 among them
        return None
    return found if isinstance(found, dict) else None
