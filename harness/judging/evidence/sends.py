"""Every send of a history, a row each, in the order of their invokes."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
UNANSWERED, ACKNOWLEDGED, REFUSED = 0, 1, 2
"""What became of a send; one whose end is not known is unanswered."""


def _longs() -> array[int]:
    return array("q")


def _ints() -> array[int]:
    return array("i")


def _bytes() -> array[int]:
    return array("b")


@dataclass(slots=True)
class Sends:
    """The columns, while they grow. -1 stands for what is not known."""

    invoked: array[int] = field(default_factory=_longs)
    """Index of the invoke in the history."""
    completed: array[int] = field(default_factory=_longs)
    """Index of the completion."""
    process: array[int] = field(default_factory=_ints)
    where: array[int] = field(default_factory=_ints)
    """Number of the partition that it went to: that of the acknowledgement, where one tells it."""
    asked: array[int] = field(default_factory=_ints)
    """Number of the partition that the producer named; -1 where it left that to its library."""
    outcome: array[int] = field(default_factory=_bytes)
    offset: array[int] = field(default_factory=_longs)
    """As acknowledged."""
    content: array[int] = field(default_factory=_longs)
    """Hash of key, headers and value."""
    timestamp: array[int] = field(default_factory=_longs)
    floor: array[int] = field(default_factory=_longs)
    """The highest offset of the partition that was known to be written when it was invoked."""
    identity: array[int] = field(default_factory=_ints)
    """How many producer ids its process had had when it was invoked."""
    last_identity: array[int] = field(default_factory=_ints)
    """… and when it completed."""
    seen_in: array[int] = field(default_factory=_ints)
    """Number of the partition in which its value was first read."""
    seen_at: array[int] = field(default_factory=_longs)
    """The offset at which it was."""

    def __len__(self) -> int:
        return len(self.invoked)

    def column(self, name: str) -> Ints:
        """A column as numbers; only once all sends are in it."""
        held: array[int] = getattr(self, name)
        return np.frombuffer(held, dtype=held.typecode).astype(np.int64) if len(held) else np.zeros(0, np.int64)
