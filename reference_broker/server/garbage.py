"""Keeps the cyclic garbage collector from stopping a broker with much state.

Python looks through all objects again whenever their number has grown by a quarter: with 20,000 replicas that is a
third of a second each time, in which no client is served. Nearly all of a broker's state lives long and is freed by
reference counts. So what has been looked at once is set aside (gc.freeze), and later collections see only what is new.
Cycles among what was set aside are found by looking at everything again once that has doubled.
"""

from __future__ import annotations

import gc
from typing import Any, Final, Protocol

OLDEST: Final = 2
AT_LEAST: Final = 200_000
"""Objects that may come together before anything is looked at twice."""


class Collector(Protocol):
    """The part of the module gc that is used."""

    callbacks: list[Any]
    """Called before and after each collection."""

    def freeze(self) -> None:
        """Set aside all that lives."""

    def unfreeze(self) -> None:
        """Have everything looked at again."""

    def get_freeze_count(self) -> int:
        """How many objects are set aside. It counts them one by one."""

    def get_objects(self, generation: int | None = None) -> list[Any]:
        """The objects of a generation that are not set aside."""


class SetAside:
    """What is set aside, from one look at everything to the next. From `begin` on, a callback of the collector."""

    def __init__(self, collector: Collector = gc) -> None:
        self._collector = collector
        self._at_last_look = 0
        self._since = 0
        """How many were set aside since, some of which may have been freed."""
        self._is_looking = False
        """Whether the next full collection looks at everything."""

    def begin(self) -> None:
        """Set aside what a node is made of, and whatever outlives full collections from now on."""
        self._collector.callbacks.append(self)
        self._set_aside()
        self._at_last_look, self._since = self._collector.get_freeze_count(), 0

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        """After each full collection."""
        if phase != "stop" or info["generation"] != OLDEST:
            return
        self._set_aside()
        if self._is_looking:
            self._is_looking = False
            self._at_last_look, self._since = self._collector.get_freeze_count(), 0
        elif self._since > max(self._at_last_look, AT_LEAST):
            self._since = self._collector.get_freeze_count() - self._at_last_look
            if self._since > max(self._at_last_look, AT_LEAST):
                self._is_looking = True
                self._collector.unfreeze()

    def _set_aside(self) -> None:
        self._since += len(self._collector.get_objects(generation=OLDEST))
        self._collector.freeze()
