"""What a group may have committed at a moment: a register that commits write, some of them without a known end."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from harness.history.operations import EARLIEST

_REMEMBERED = 64
"""Commits that others have replaced which a register remembers, for members that start while commits go on."""


@dataclass(slots=True)
class _Entry:
    offset: int
    invoked: int
    completed: int | None = None


@dataclass(slots=True)
class CommitRegister:
    """One group's offset of one partition. Times are indexes of operations."""

    _entries: dict[int, _Entry] = field(default_factory=dict)
    """By the invoke: commits that may be in force, or may come to be."""
    _replaced: deque[_Entry] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    _is_certain: bool = False
    """Whether a commit has succeeded for certain."""

    def invoke(self, commit: int, offset: int) -> None:
        """A commit that begins."""
        self._entries[commit] = _Entry(offset, commit)

    def succeed(self, commit: int, completed: int) -> None:
        """It was acknowledged: commits that had ended before it began are no longer in force."""
        entry = self._entries.get(commit)
        if entry is None:
            return
        entry.completed = completed
        self._is_certain = True
        for key in [key for key, other in self._entries.items() if (other.completed or completed) < entry.invoked]:
            self._replaced.append(self._entries.pop(key))

    def refuse(self, commit: int) -> None:
        """It certainly did not happen."""
        self._entries.pop(commit, None)

    def in_force(self) -> frozenset[int]:
        """The offsets that may be in force now; EARLIEST for none, where no commit is certain."""
        offsets = {entry.offset for entry in self._entries.values()}
        return frozenset(offsets if self._is_certain else offsets | {EARLIEST})

    def since(self, index: int) -> frozenset[int]:
        """Those that may have been in force at some moment between an operation and now."""
        passed = {entry.offset for entry in self._replaced if (entry.completed or 0) > index}
        return self.in_force() | passed
