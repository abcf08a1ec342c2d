"""What clients and faults did, in the order in which it happened: the only thing that checkers look at.

A history is a file of lines, one JSON object an operation, so that a person can read it and a later version can judge
it again. Every `BLOCK` lines a trailer holds their CRC-32C: a harness that dies leaves a file that is good up to its
last whole block, and a damaged file is noticed and not judged.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec
from crc32c import crc32c

BLOCK = 500
"""Operations in a block: the most that a dying harness can lose."""
FORMAT = 1
"""Version of the file's format, in its first line."""
NEMESIS = "nemesis"
"""The process of fault operations."""


class HistoryTrouble(Exception):
    """A history file that cannot be read: what is wrong, in which line, and what to do."""


class OpType(StrEnum):
    """Where an operation stands (Jepsen's words)."""

    INVOKE = "invoke"
    OK = "ok"
    FAIL = "fail"
    """It certainly did not happen."""
    INFO = "info"
    """It may have happened, or may still; also the type of what the nemesis does."""


class Record(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A record as a consumer saw it."""

    offset: int
    value: str
    """The unique name with which the value starts; for bytes that hold none, their start, escaped."""
    key: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    timestamp: int = -1
    """Milliseconds since 1970."""
    checksum: int = 0
    """CRC-32C of the whole value."""


class Send(msgspec.Struct, frozen=True, gc=False, tag="send", tag_field="is"):
    """What a producer wants to write. `value` is unique in the whole history."""

    topic: str
    partition: int
    value: str
    key: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    timestamp: int = -1
    checksum: int = 0


class Acknowledged(msgspec.Struct, frozen=True, gc=False, tag="ack", tag_field="is"):
    """Where the broker says that it stands. -1: it did not say (acks=0)."""

    partition: int
    offset: int
    timestamp: int = -1


class Polled(msgspec.Struct, frozen=True, gc=False, tag="polled", tag_field="is"):
    """Records of one partition that one poll returned, in the order in which it did."""

    topic: str
    partition: int
    records: tuple[Record, ...]


class Position(msgspec.Struct, frozen=True, gc=False, tag="position", tag_field="is"):
    """From here on the process reads these partitions; the order of its earlier reads says nothing about later ones."""

    partitions: tuple[tuple[str, int], ...]


class Committed(msgspec.Struct, frozen=True, gc=False, tag="committed", tag_field="is"):
    """Offsets that a group committed: (topic, partition, offset)."""

    group: str
    offsets: tuple[tuple[str, int, int], ...]


class FinalEnd(msgspec.Struct, frozen=True, gc=False, tag="end", tag_field="is"):
    """How far the final read of a partition came. `reached` is the next offset to read; `end` where the log ended."""

    topic: str
    partition: int
    start: int
    end: int
    reached: int

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left to read."""
        return self.reached >= self.end


class FaultAct(msgspec.Struct, frozen=True, gc=False, tag="fault", tag_field="is", kw_only=True):
    """What the nemesis does to the cluster: written before the act without a proof, and after it with one."""

    kind: str
    """ "kill", "partition", …"""
    nodes: tuple[int, ...] = ()
    """Ids of the nodes that it strikes."""
    links: tuple[tuple[str, str], ...] = ()
    """Ordered pairs "who no longer hears whom": ("node 1", "node 2"), ("clients", "node 2")."""
    parameters: dict[str, str] = {}
    proof: str = ""
    """How it is known that it took effect, as a sentence; of a heal, what was done."""

    @property
    def sentence(self) -> str:
        """ "kill nodes 1, 2", "partition: node 1 does not hear node 2"; without the proof."""
        told = self.kind
        if self.nodes:
            told += f" node{'s' if len(self.nodes) > 1 else ''} {', '.join(map(str, self.nodes))}"
        if self.links:
            told += ": " + ", ".join(f"{who} does not hear {whom}" for who, whom in self.links)
        if self.parameters:
            told += f" ({', '.join(f'{name} {value}' for name, value in self.parameters.items())})"
        return told


Value = Send | Acknowledged | Polled | Position | Committed | FinalEnd | FaultAct | str | None


class Operation(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One line of a history.

    Reads are written when they complete, without an invoke: reading changes nothing, so one that never completed says
    nothing.
    """

    index: int = -1
    time_ns: int = 0
    """Since the start of the history, monotonic."""
    process: str
    kind: OpType
    f: str
    """What was done: send, poll, position, commit, final_read, final_end; of the nemesis the fault's name, or heal."""
    value: Value = None
    error: str | None = None
    of: int | None = None
    """Of a completion: the index of its invoke."""


class History:
    """A finished history. Immutable; `memo` keeps what checkers derive from it, so that it is derived once."""

    def __init__(self, operations: Iterable[Operation], *, is_complete: bool = True, started_at_ms: int = 0) -> None:
        self.operations = tuple(operations)
        self.is_complete = is_complete
        """False when the file ends without its last line: the harness died while writing it."""
        self.started_at_ms = started_at_ms
        self.memo: dict[str, Any] = {}

    @classmethod
    def of(cls, *operations: Operation) -> History:
        """A history of these, numbered, a millisecond apart where they carry no time. For tests and synthetic ones."""
        return cls(
            msgspec.structs.replace(operation, index=index, time_ns=operation.time_ns or index * 1_000_000)
            for index, operation in enumerate(operations)
        )

    def __len__(self) -> int:
        return len(self.operations)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.operations)

    def faults(self) -> tuple[Operation, ...]:
        """What the nemesis did, heals included."""
        return tuple(operation for operation in self.operations if operation.process == NEMESIS)

    def slice_around(self, index: int, width: int = 20) -> tuple[Operation, ...]:
        """Operations around one of them, for reports."""
        return self.operations[max(0, index - width) : index + width + 1]


class HistoryWriter:
    """Appends operations to a file; any thread may. Each line reaches the operating system before `append` returns."""

    def __init__(self, path: Path, *, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        """Makes the file; OSError when it exists: a history is never written twice."""
        self.path = path
        self._clock_ns = clock_ns
        self._zero_ns = clock_ns()
        self._encode = msgspec.json.Encoder().encode
        self._lock = threading.Lock()
        self._count = 0
        self._in_block = 0
        self._checksum = 0
        self._file = path.open("xb", buffering=0)
        self._file.write(self._encode({"history": FORMAT, "started_at_ms": time.time_ns() // 1_000_000}) + b"\n")

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
            index = self._count
            line = (
                self._encode(
                    Operation(
                        index=index,
                        time_ns=self._clock_ns() - self._zero_ns,
                        process=process,
                        kind=kind,
                        f=f,
                        value=value,
                        error=error,
                        of=of,
                    )
                )
                + b"\n"
            )
            self._count += 1
            self._in_block += 1
            self._checksum = crc32c(line, self._checksum)
            self._file.write(line)
            if self._in_block == BLOCK:
                self._end_block()
        return index

    def _end_block(self) -> None:
        trailer = {"block": self._in_block, "crc32c": f"{self._checksum:08x}"}
        self._file.write(self._encode(trailer) + b"\n")
        self._in_block = 0
        self._checksum = 0

    def close(self) -> None:
        """Ends the last block and the history; may be called twice."""
        with self._lock:
            if self._file.closed:
                return
            if self._in_block:
                self._end_block()
            self._file.write(self._encode({"end": self._count}) + b"\n")
            self._file.close()

    def __enter__(self) -> HistoryWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_history(path: Path) -> History:
    """The history in a file. HistoryTrouble when it is missing or damaged; a torn end is cut off and flagged."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as trouble:
        what = f"{path}: cannot be read: {trouble.strerror}; give the folder of a stored run"
        raise HistoryTrouble(what) from trouble
    head = _marker(lines[0])
    if head is None or head.get("history") != FORMAT:
        raise HistoryTrouble(f"{path}, line 1: not a history of format {FORMAT}; was it written by this project?")
    operations: list[Operation] = []
    block: list[bytes] = []
    is_complete = False
    last = len(lines) - 1
    for number, line in enumerate(lines[1:], 2):
        if line.startswith(b'{"block"'):
            marker = _marker(line)
            if marker is None:
                if number - 1 >= last:
                    break
                raise HistoryTrouble(f"{path}, line {number}: a damaged block trailer; the file cannot be judged")
            operations += _operations(path, number, block, marker)
            block = []
        elif line.startswith(b'{"end"'):
            marker = _marker(line)
            is_complete = marker is not None and marker.get("end") == len(operations)
        elif line:
            block.append(line)
    return History(operations, is_complete=is_complete and not block, started_at_ms=int(head.get("started_at_ms", 0)))


_operation = msgspec.json.Decoder(Operation).decode


def _operations(path: Path, number: int, block: list[bytes], marker: dict[str, Any]) -> list[Operation]:
    """The operations of a block, whose trailer stands in line `number`."""
    data = b"".join(line + b"\n" for line in block)
    if len(block) != marker["block"] or f"{crc32c(data):08x}" != marker.get("crc32c"):
        first = number - len(block)
        raise HistoryTrouble(
            f"{path}, lines {first} to {number}: the block's checksum does not fit; the file was changed or damaged "
            f"after it was written, and cannot be judged. Restore it, or run the check again"
        )
    try:
        return [_operation(line) for line in block]
    except msgspec.DecodeError as trouble:
        raise HistoryTrouble(f"{path}, before line {number}: {trouble}; written by another version?") from trouble


def _marker(line: bytes) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return None
    return found if isinstance(found, dict) else None
