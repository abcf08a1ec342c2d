"""A finished history, held in memory or read from its file as often as it is needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import msgspec

from harness.history.operations import NEMESIS, Operation


class AnyHistory(Protocol):
    """What checkers need of a history: its operations in order, any number of times, and single ones by index."""

    memo: dict[str, Any]
    """Keeps what checkers derive from it, so that it is derived once."""

    @property
    def started_at_ms(self) -> int:
        """When it began, in ms since 1970."""
        ...

    @property
    def is_complete(self) -> bool:
        """False when the file ends without its last line: the harness died while writing it. Of a history that is read
        from its file, true to the facts only after the first pass."""
        ...

    def __iter__(self) -> Iterator[Operation]: ...

    def operation(self, index: int) -> Operation:
        """One operation. IndexError when there is none."""
        ...


class History:
    """A history in memory. Immutable, but for its memo."""

    def __init__(self, operations: Iterable[Operation], *, is_complete: bool = True, started_at_ms: int = 0) -> None:
        self.operations = tuple(operations)
        self.is_complete = is_complete
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

    def operation(self, index: int) -> Operation:
        """One operation. IndexError when there is none."""
        if index < 0:
            raise IndexError(f"there is no operation {index}")
        return self.operations[index]

    def faults(self) -> tuple[Operation, ...]:
        """What the nemesis did, heals included."""
        return tuple(operation for operation in self.operations if operation.process == NEMESIS)

    def slice_around(self, index: int, width: int = 20) -> tuple[Operation, ...]:
        """Operations around one of them, for reports."""
        return self.operations[max(0, index - width) : index + width + 1]
