"""A list of findings of limited size, which counts all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")
_KEPT = 10_000


class Found(Generic[T]):
    """The first ten thousand findings, and the number of all."""

    __slots__ = ("_items", "count")

    def __init__(self) -> None:
        self.count = 0
        self._items: list[T] = []

    def add(self, item: T) -> None:
        """Counts a finding, and keeps it if there is room."""
        self.count += 1
        if len(self._items) < _KEPT:
            self._items.append(item)

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)

    def __bool__(self) -> bool:
        return bool(self._items)
