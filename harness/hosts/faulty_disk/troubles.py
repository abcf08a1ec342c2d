"""What a disk does wrong when told to: errors by operation and path, no room, no writing, slow flushes. Pure."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

CHANGES: Final = frozenset(("create", "mkdir", "rename", "rmdir", "truncate", "unlink", "write"))
"""Operations that a disk which can only be read refuses."""
GROWTH: Final = frozenset(("create", "grow", "mkdir", "write"))
"""Operations that a full disk refuses; `grow` is a truncation to a larger size."""
OPERATIONS: Final = frozenset((*CHANGES, "fsync", "grow", "list", "lookup", "open", "read"))


@dataclass(frozen=True, slots=True)
class Failing:
    """Operations that fail, on paths that match a pattern (fnmatch)."""

    operations: frozenset[str]
    pattern: str
    code: int


@dataclass(slots=True)
class Troubles:
    """What is wrong with a disk now."""

    failing: list[Failing] = field(default_factory=list)
    is_full: bool = False
    is_read_only: bool = False
    flush_s: tuple[float, float] = (0.0, 0.0)
    """How long a flush takes, at least and at most."""
    refused: int = 0
    """How many operations have failed since the last mending."""

    def error_of(self, operation: str, path: str) -> int:
        """The errno with which an operation fails; 0 when it does not."""
        code = self._error_of(operation, path)
        self.refused += code != 0
        return code

    def _error_of(self, operation: str, path: str) -> int:
        if self.is_read_only and operation in CHANGES:
            return errno.EROFS
        if self.is_full and operation in GROWTH:
            return errno.ENOSPC
        for one in self.failing:
            if operation in one.operations and fnmatchcase(path, one.pattern):
                return one.code
        return 0

    def fail(self, operations: list[str], pattern: str, error: str) -> None:
        """From now on, operations on paths that match a pattern fail. ValueError for one that there is not."""
        if unknown := sorted(set(operations) - OPERATIONS):
            raise ValueError(f"unknown operation {unknown[0]!r} (known: {', '.join(sorted(OPERATIONS))})")
        code = getattr(errno, error, None)
        if not isinstance(code, int):
            raise ValueError(f"unknown error {error!r}")
        self.failing.append(Failing(frozenset(operations), pattern, code))

    def mend(self) -> None:
        """Nothing is wrong any more."""
        self.failing.clear()
        self.is_full = self.is_read_only = False
        self.flush_s = (0.0, 0.0)
        self.refused = 0
