"""Consumers that share a topic as one group, each polled by a thread of its own, as members of real groups are."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType

from harness.clients.client import ClientTrouble, Consumed, Consumer, Library, OnChange
from harness.history.operations import Assigned, AssignmentChange
from harness.judging.guarantees import ClientSettings

_POLL_S = 0.1
_LOOK_S = 0.05
_COMMIT_S = 10.0


class _Member:
    """A consumer and its thread; the lock keeps the consumer to one thread at a time."""

    def __init__(self, consumer: Consumer, received: list[Consumed], name: str) -> None:
        self.consumer = consumer
        self.received = received
        self.trouble: ClientTrouble | None = None
        self._lock = threading.Lock()
        self._leaves = threading.Event()
        self._thread = threading.Thread(target=self._poll, name=name, daemon=True)
        self._thread.start()

    def _poll(self) -> None:
        while not self._leaves.is_set():
            try:
                with self._lock:
                    self.received += self.consumer.poll(_POLL_S)
            except ClientTrouble as trouble:
                self.trouble = trouble
                return
            time.sleep(0.001)  # a lock is given to who waits for it only when it is left alone for a moment

    def commit(self) -> None:
        """Commits what it was given."""
        with self._lock:
            self.consumer.commit()

    def leave(self) -> None:
        """Says good-bye to the group."""
        self._leaves.set()
        self._thread.join(10 * _POLL_S)
        with self._lock:
            self.consumer.close()


class GroupMembers:
    """The members of a group."""

    def __init__(self, library: Library, bootstrap: str, topic: str, group: str) -> None:
        self.topic = topic
        self.group = group
        self.assignments: dict[str, tuple[int, ...]] = {}
        """Member → the partitions that it was last assigned, sorted; members that left are not in it."""
        self.received: dict[str, list[Consumed]] = {}
        """Member → all that it was given, also after it left."""
        self._library = library
        self._bootstrap = bootstrap
        self._members: dict[str, _Member] = {}

    def join(self, *names: str) -> None:
        """Adds members."""
        for name in names:
            settings = ClientSettings(consumers="subscribe", commit="sync")
            consumer = self._library.consumer(self._bootstrap, settings, f"{self.group}-{name}", self.group)
            self.assignments[name] = ()
            consumer.subscribe([self.topic], self._keeper(name))
            self._members[name] = _Member(consumer, self.received.setdefault(name, []), f"{self.group}-{name}")

    def _keeper(self, name: str) -> OnChange:
        def keep(change: AssignmentChange) -> None:
            if name in self.assignments:
                changed = {partition for _, partition in change.partitions}
                held = set(self.assignments[name])
                held = held | changed if isinstance(change, Assigned) else held - changed
                self.assignments[name] = tuple(sorted(held))

        return keep

    def leave(self, name: str) -> None:
        """A member says good-bye."""
        del self.assignments[name]
        self._members.pop(name).leave()

    def commit(self) -> None:
        """All members commit what they were given; one that is told of a rebalance tries again. ClientTrouble."""
        for name, member in self._members.items():
            deadline = time.monotonic() + _COMMIT_S
            while self.received[name] and self.assignments[name]:
                try:
                    member.commit()
                    break
                except ClientTrouble:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(_LOOK_S)

    def wait_until(self, is_so: Callable[[], bool], timeout_s: float = 30.0) -> bool:
        """Waits until something is so; whether it was in time. ClientTrouble when a member had some."""
        deadline = time.monotonic() + timeout_s
        while not is_so():
            for member in self._members.values():
                if member.trouble is not None:
                    raise member.trouble
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK_S)
        return True

    def shares(self) -> list[int]:
        """How many partitions each member has, sorted."""
        return sorted(len(partitions) for partitions in list(self.assignments.values()))

    def close(self) -> None:
        """All leave."""
        for name in list(self._members):
            self.leave(name)

    def __enter__(self) -> GroupMembers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
