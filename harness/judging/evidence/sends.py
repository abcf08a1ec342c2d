"""The sends of a history as a table, with a row for each in the order of their invokes."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
UNANSWERED, ACKNOWLEDGED, REFUSED = 0, 1, 2
"""Outcomes of a send. UNANSWERED: it has no completion, or one with an unknown outcome."""


def _longs() -> array[int]:
    return array("q")


def _ints() -> array[int]:
    return array("i")


def _bytes() -> array[int]:
    return array("b")


@dataclass(slots=True)
class Sends:
    """The columns of the table. -1 means unknown."""

    invoked: array[int] = field(default_factory=_longs)
    """Index of the invoke in the history."""
    completed: array[int] = field(default_factory=_longs)
    """Index of the completion."""
    process: array[int] = field(default_factory=_ints)
    where: array[int] = field(default_factory=_ints)
    """Number of the partition: the acknowledged one or, without an acknowledgement, the requested one."""
    asked: array[int] = field(default_factory=_ints)
    """Number of the requested partition; -1 if the library was to choose one."""
    outcome: array[int] = field(default_factory=_bytes)
    offset: array[int] = field(default_factory=_longs)
    """The acknowledged offset."""
    content: array[int] = field(default_factory=_longs)
    """Hash of key, headers and value."""
    timestamp: array[int] = field(default_factory=_longs)
    floor: array[int] = field(default_factory=_longs)
    """The highest offset of the partition that had been acknowledged or read when the send was invoked."""
    identity: array[int] = field(default_factory=_ints)
    """Number of producer ids that its process had had by the invoke."""
    last_identity: array[int] = field(default_factory=_ints)
    """Number of producer ids that its process had had by the completion."""
    seen_in: array[int] = field(default_factory=_ints)
    """Number of the partition in which its value was first read."""
    seen_at: array[int] = field(default_factory=_longs)
    """The offset at which its value was first read."""

    def __len__(self) -> int:
        return len(self.invoked)

    def column(self, name: str) -> Ints:
        """A column as an array. Call it only after all sends have been added."""
        held: array[int] = getattr(self, name)
        return np.frombuffer(held, dtype=held.typecode).astype(np.int64) if len(held) else np.zeros(0, np.int64)
