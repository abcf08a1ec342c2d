"""A mapping that can be put back to an earlier state, at no cost that grows with it."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any, TypeVar

from immutables import Map

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


class Timeline(MutableMapping[KeyT, ValueT]):
    """A dict whose states can be kept. Values must not change in place where their earlier state is to be kept, too.

    Keys come in their natural order: that of a persistent map differs from process to process.
    """

    __slots__ = ("_map",)

    def __init__(self) -> None:
        self._map: Map[KeyT, ValueT] = Map()

    def mark(self) -> Map[KeyT, ValueT]:
        """The present state, for `restore`."""
        return self._map

    def restore(self, mark: Map[KeyT, ValueT]) -> None:
        """Be as at an earlier time, or a later one."""
        self._map = mark

    def __getitem__(self, key: KeyT) -> ValueT:
        return self._map[key]

    def __setitem__(self, key: KeyT, value: ValueT) -> None:
        self._map = self._map.set(key, value)

    def __delitem__(self, key: KeyT) -> None:
        self._map = self._map.delete(key)

    def __contains__(self, key: object) -> bool:
        return key in self._map

    def __iter__(self) -> Iterator[KeyT]:
        found: list[Any] = list(self._map)
        return iter(sorted(found))

    def __len__(self) -> int:
        return len(self._map)
