"""Consumers that share a topic as one group, polled in turn by one thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType

from harness.clients.client import Consumed, Consumer, Library
from harness.guarantees import ClientSettings

_POLL_S = 0.05


class GroupMembers:
    """The members of a group. ClientTrouble from any of them passes through."""

    def __init__(self, library: Library, bootstrap: str, topic: str, group: str) -> None:
        self.topic = topic
        self.group = group
        self.assignments: dict[str, tuple[int, ...]] = {}
        """Member → the partitions that it was last assigned, sorted; members that left are not in it."""
        self.received: dict[str, list[Consumed]] = {}
        """Member → all that it was given, also after it left."""
        self._library = library
        self._bootstrap = bootstrap
        self._consumers: dict[str, Consumer] = {}

    def join(self, *names: str) -> None:
        """Adds members; they take part once they are polled."""
        for name in names:
            settings = ClientSettings(consumers="subscribe", commit="sync")
            consumer = self._library.consumer(self._bootstrap, settings, f"{self.group}-{name}", self.group)
            self._consumers[name] = consumer
            self.assignments[name] = ()
            self.received.setdefault(name, [])
            consumer.subscribe([self.topic], self._keeper(name))

    def _keeper(self, name: str) -> Callable[[Sequence[tuple[str, int]]], None]:
        def keep(partitions: Sequence[tuple[str, int]]) -> None:
            self.assignments[name] = tuple(sorted(partition for _, partition in partitions))

        return keep

    def leave(self, name: str) -> None:
        """A member says good-bye."""
        self._consumers.pop(name).close()
        del self.assignments[name]

    def commit(self) -> None:
        """All members commit what they were given."""
        for name, consumer in self._consumers.items():
            if self.received[name] and self.assignments[name]:
                consumer.commit()

    def poll_until(self, is_enough: Callable[[], bool], timeout_s: float = 30.0) -> bool:
        """Polls all members in turn until it is enough; whether it was before the time was over."""
        deadline = time.monotonic() + timeout_s
        while not is_enough():
            if time.monotonic() > deadline:
                return False
            for name, consumer in list(self._consumers.items()):
                self.received[name] += consumer.poll(_POLL_S)
        return True

    def shares(self) -> list[int]:
        """How many partitions each member has, sorted."""
        return sorted(len(partitions) for partitions in self.assignments.values())

    def close(self) -> None:
        """All leave."""
        for name in list(self._consumers):
            self.leave(name)

    def __enter__(self) -> GroupMembers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
