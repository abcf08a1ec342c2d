"""The offsets that a group may have committed at a given time; the outcome of some commits is unknown."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from harness.history.operations import EARLIEST

_REMEMBERED = 64
"""Replaced commits that a register remembers, for members that start while commits are in progress."""


@dataclass(slots=True)
class _Entry:
    offset: int
    invoked: int
    completed: int | None = None


@dataclass(slots=True)
class CommitRegister:
    """The committed offset of one group for one partition. Times are indexes of operations."""

    _entries: dict[int, _Entry] = field(default_factory=dict)
    """Index of the invoke → commit, for commits that are or may become the committed offset."""
    _replaced: deque[_Entry] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    _is_certain: bool = False
    """Whether any commit was acknowledged."""

    def invoke(self, commit: int, offset: int) -> None:
        """A commit begins."""
        self._entries[commit] = _Entry(offset, commit)

    def succeed(self, commit: int, completed: int) -> None:
        """A commit was acknowledged: it replaces commits that had completed before it began."""
        entry = self._entries.get(commit)
        if entry is None:
            return
        entry.completed = completed
        self._is_certain = True
        for key in [key for key, other in self._entries.items() if (other.completed or completed) < entry.invoked]:
            self._replaced.append(self._entries.pop(key))

    def refuse(self, commit: int) -> None:
        """A commit certainly failed."""
        self._entries.pop(commit, None)

    def in_force(self) -> frozenset[int]:
        """The offsets that may be committed now; includes EARLIEST if perhaps no commit has succeeded."""
        offsets = {entry.offset for entry in self._entries.values()}
        return frozenset(offsets if self._is_certain else offsets | {EARLIEST})

    def since(self, index: int) -> frozenset[int]:
        """The offsets that may have been committed at some time between an operation and now."""
        passed = {entry.offset for entry in self._replaced if (entry.completed or 0) > index}
        return self.in_force() | passed
