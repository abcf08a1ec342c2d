"""Consumers that subscribe to one topic as one group. Each is polled by its own thread, as in an application."""

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
    """A consumer and the thread that polls it; a lock ensures that only one thread uses the consumer at a time."""

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
            time.sleep(0.001)  # locks are not fair: a thread that waits gets it only if this one pauses

    def commit(self) -> None:
        """Commits the consumer's positions."""
        with self._lock:
            self.consumer.commit()

    def leave(self) -> None:
        """Stops polling and closes the consumer, which leaves the group."""
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
        """Member → its current partitions, sorted. Without members that have left."""
        self.received: dict[str, list[Consumed]] = {}
        """Member → all records that it received. Includes members that have left."""
        self._library = library
        self._bootstrap = bootstrap
        self._members: dict[str, _Member] = {}

    def join(self, *names: str) -> None:
        """Starts consumers with these names, which join the group."""
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
        """Closes a member's consumer, which leaves the group."""
        del self.assignments[name]
        self._members.pop(name).leave()

    def commit(self) -> None:
        """Has each member that holds partitions and has received records commit its positions. Retries a commit that
        fails, e.g. during a rebalance, for 10 s; then ClientTrouble."""
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
        """Waits until `is_so` returns true; returns whether it did in time. ClientTrouble if a poll failed."""
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
        """The numbers of partitions of the members, sorted."""
        return sorted(len(partitions) for partitions in list(self.assignments.values()))

    def close(self) -> None:
        """Closes all members."""
        for name in list(self._members):
            self.leave(name)

    def __enter__(self) -> GroupMembers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
