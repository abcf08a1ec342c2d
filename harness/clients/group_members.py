"""Consumers that subscribe to one topic as one group. Each is polled by a task of its own, as in an application."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from harness.clients.client import ClientTrouble, Consumed, Library, OnChange
from harness.clients.stepped.library import SteppedConsumer, stepped_consumer
from harness.history.operations import Assigned, AssignmentChange
from harness.hosts import cluster_time as time
from harness.hosts.executor import Executor, current
from harness.judging.guarantees import ClientSettings

_POLL_S = 0.1
_LOOK_S = 0.05
_COMMIT_S = 10.0


class _Member:
    """A consumer and the task that polls it; a window of one place ensures that one at a time uses the consumer."""

    def __init__(self, executor: Executor, consumer: SteppedConsumer, received: list[Consumed], name: str) -> None:
        self.received = received
        self.trouble: ClientTrouble | None = None
        self._executor, self._consumer = executor, consumer
        self._turn = executor.window(1)
        self._leaves = executor.signal()
        self._task = executor.start(name, self._poll)

    async def _poll(self) -> None:
        while not self._leaves.is_set():
            await self._turn.acquire()
            try:
                self.received += await self._consumer.poll(_POLL_S)
            except ClientTrouble as trouble:
                self.trouble = trouble
                return
            finally:
                self._turn.release()
            # Locks of threads are not fair: who waits gets it only if this one pauses.
            await self._executor.pause(0.001)

    async def commit(self) -> None:
        """Commits the consumer's positions."""
        await self._turn.acquire()
        try:
            await self._consumer.commit()
        finally:
            self._turn.release()

    async def leave(self) -> None:
        """Closes the consumer, which leaves the group. Its task has been told to end."""
        await self._turn.acquire()
        try:
            await self._consumer.close()
        finally:
            self._turn.release()

    def end(self) -> None:
        """Stops polling."""
        self._leaves.set()
        self._task.join(10 * _POLL_S)


class GroupMembers:
    """The members of a group."""

    def __init__(self, library: Library, bootstrap: str, topic: str, group: str) -> None:
        self.topic = topic
        self.group = group
        self.assignments: dict[str, tuple[int, ...]] = {}
        """Member → its current partitions, sorted. Without members that have left."""
        self.received: dict[str, list[Consumed]] = {}
        """Member → all records that it received. Includes members that have left."""
        self._executor = current()
        self._library = library
        self._bootstrap = bootstrap
        self._members: dict[str, _Member] = {}

    def join(self, *names: str) -> None:
        """Starts consumers with these names, which join the group."""
        for name in names:
            settings = ClientSettings(consumers="subscribe", commit="sync")
            client_id = f"{self.group}-{name}"
            consumer = stepped_consumer(self._library, self._executor, self._bootstrap, settings, client_id, self.group)
            self.assignments[name] = ()
            self._executor.run(consumer.subscribe([self.topic], self._keeper(name)))
            received = self.received.setdefault(name, [])
            self._members[name] = _Member(self._executor, consumer, received, client_id)

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
        member = self._members.pop(name)
        member.end()
        self._executor.run(member.leave())

    def commit(self) -> None:
        """Has each member that holds partitions and has received records commit its positions. Retries a commit that
        fails, e.g. during a rebalance, for 10 s; then ClientTrouble."""
        for name, member in self._members.items():
            deadline = time.monotonic() + _COMMIT_S
            while self.received[name] and self.assignments[name]:
                try:
                    self._executor.run(member.commit())
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
