"""What the roles of one run share: workload, cluster, history, progress of the readers, and errors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from random import Random
from typing import TypeVar

from harness.clients.client import Library
from harness.clients.stepped.library import (
    SteppedConsumer,
    SteppedProducer,
    stepped_consumer,
    stepped_producer,
)
from harness.history.files import HistoryWriter
from harness.history.operations import OpType
from harness.hosts.executor import Executor, Work
from harness.runs.progress import Counts, Phase
from harness.runs.waits import Waits
from harness.targets.target import Cluster
from harness.workloads.queue import Queue

T = TypeVar("T")
RUN = "run"
"""The process of what the run itself notes: phases, and looks at the cluster."""


class RunTrouble(Exception):
    """The run could not be done as asked: the verdict is unknown, not a broken promise."""


class RunContext:
    """One run."""

    def __init__(
        self,
        queue: Queue,
        cluster: Cluster,
        library: Library,
        *,
        seed: object,
        writer: HistoryWriter,
        executor: Executor,
    ) -> None:
        self.queue = queue
        self.cluster = cluster
        self.library = library
        self.writer = writer
        self.executor = executor
        self.waits = Waits(queue.client)
        self.counts = Counts()
        self.phases: list[Phase] = []
        self.troubles: list[str] = []
        self.notes: list[str] = []
        """What a reader of the verdict should know of how the run went, each a clause."""
        self.producing_ends = executor.signal()
        self.consuming_ends = executor.signal()
        self.acknowledged_ends: dict[int, int] = {}
        """Partition → the offset after the highest that was acknowledged."""
        self._reached: dict[tuple[str, int], int] = {}
        self._seed = seed
        self._started_ns = executor.now_ns()
        self._entered_s = 0.0
        self._lock = threading.Lock()

    def chance(self, role: str) -> Random:
        """Randomness of a role's own, the same in each run with the seed."""
        return Random(f"{self._seed}/{role}")

    def elapsed_s(self) -> float:
        """Since the run began."""
        return (self.executor.now_ns() - self._started_ns) / 1e9

    def enter(self, phase: str) -> None:
        """Ends the present phase and begins another."""
        now_s = self.elapsed_s()
        self.phases.append(Phase(self.counts.phase, round(self._entered_s, 3), round(now_s, 3)))
        self.counts.phase, self._entered_s = phase, now_s
        self.writer.append(RUN, OpType.OK, "phase", phase)

    def trouble(self, what: str) -> None:
        """Notes that something went wrong."""
        with self._lock:
            self.troubles.append(what)

    def guarded(self, work: Callable[[], Work[None]]) -> Callable[[], Work[None]]:
        """Wraps a role's work so that an exception in it fails the whole run."""

        async def guarding() -> None:
            try:
                await work()
            except Exception as error:
                self.trouble(f"{type(error).__name__}: {error}")

        return guarding

    def watched(self, callback: Callable[[T], None]) -> Callable[[T], None]:
        """Wraps a callback so that an exception in it fails the whole run."""

        def watching(value: T) -> None:
            try:
                callback(value)
            except Exception as error:
                self.trouble(f"{type(error).__name__}: {error}")

        return watching

    def producer(self, client_id: str) -> SteppedProducer:
        """A new producer. ClientTrouble or OSError where the library must reach a broker first and cannot."""
        return stepped_producer(self.library, self.executor, self.cluster.bootstrap, self.queue.client, client_id)

    def consumer(self, client_id: str, group: str | None) -> SteppedConsumer:
        """A new consumer. ClientTrouble or OSError where the library must reach a broker first and cannot."""
        bootstrap, settings = self.cluster.bootstrap, self.queue.client
        return stepped_consumer(self.library, self.executor, bootstrap, settings, client_id, group)

    def count_sent(self) -> None:
        """One more send began."""
        with self._lock:
            self.counts.sent += 1

    def count_acknowledged(self, partition: int, offset: int) -> None:
        """One more was acknowledged."""
        with self._lock:
            self.counts.acknowledged += 1
            self.acknowledged_ends[partition] = max(offset + 1, self.acknowledged_ends.get(partition, 0))

    def count_read(self, reader: str, partition: int, next_offset: int, records: int) -> None:
        """A reader (a process, or a group) has come so far in a partition."""
        with self._lock:
            self.counts.read += records
            key = (reader, partition)
            self._reached[key] = max(next_offset, self._reached.get(key, 0))

    def lag(self) -> int:
        """Records that were acknowledged, and that the reader furthest behind has not reached; 0 without readers."""
        with self._lock:
            behind: dict[str, int] = {reader: 0 for reader, _ in self._reached}
            for reader in behind:
                for partition, end in self.acknowledged_ends.items():
                    behind[reader] += max(0, end - self._reached.get((reader, partition), 0))
            return max(behind.values(), default=0)

    def have_reached(self, readers: Iterable[str], ends: dict[int, int]) -> bool:
        """Whether all readers have read all partitions up to these offsets."""
        with self._lock:
            return all(
                self._reached.get((reader, partition), 0) >= end
                for reader in readers
                for partition, end in ends.items()
            )
