"""A register: something with one value that requests write, some of which have an outcome that nobody knows.

A request takes effect at one moment between its sending and its answer; where no answer came, then, later or never. So
a value may be there in the end unless a write that was sent after it was done is done, too.
"""

from __future__ import annotations

from collections.abc import Hashable

from msgspec import Struct


class Write(Struct):
    """One request. `done_us` is None while its outcome is not known; `is_refused`: it has no effect."""

    value: Hashable
    sent_us: int
    done_us: int | None = None
    is_refused: bool = False


class Register:
    """The writes of one thing. What it was before them all is the first."""

    def __init__(self, first: Hashable) -> None:
        self._writes: dict[Hashable, list[Write]] = {first: [Write(first, -1, -1)]}
        self._done: list[Write] = [self._writes[first][0]]

    def begin(self, value: Hashable, now_us: int) -> Write:
        """A request is sent."""
        write = Write(value, now_us)
        self._writes.setdefault(value, []).append(write)
        return write

    def finish(self, write: Write, now_us: int) -> None:
        """It was answered without an error."""
        write.done_us = now_us
        self._done.append(write)

    def floor_us(self, now_us: int) -> int:
        """A write that was done before this time is overwritten at `now_us`: the last sending of one that was done."""
        return max(one.sent_us for one in self._done if one.done_us is not None and one.done_us < now_us)

    def may_be(self, value: Hashable, floor_us: int) -> bool:
        """Whether a value may be there, where all that was done before `floor_us` is overwritten."""
        return any(
            not one.is_refused and (one.done_us is None or one.done_us >= floor_us)
            for one in self._writes.get(value, ())
        )
