"""A run without threads, brokers or waiting: time passes when somebody sleeps, and clients do as they are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from harness.clients.client import Consumed, Delivery, OnChange
from harness.history.files import HistoryWriter, read_history
from harness.history.history import History
from harness.history.operations import ProducerIdentity
from harness.hosts.executor import Work, finished
from harness.judging.guarantees import ClientSettings
from harness.runs.context import RunContext
from harness.workloads.queue import Queue

T = TypeVar("T")
SUBSCRIBED = ClientSettings(consumers="subscribe", commit="sync")


class SteppedSignal:
    """Happens when it is set, or at a moment of the stepped time."""

    def __init__(self, executor: SteppedExecutor) -> None:
        self._executor = executor
        self._is_set = False
        self.at_s = float("inf")

    def set(self) -> None:
        self._is_set = True

    def is_set(self) -> bool:
        return self._is_set or self._executor.now_s >= self.at_s

    async def wait(self, timeout: float | None = None) -> bool:
        self._executor.sleep(timeout or 0.0)
        return self.is_set()


class SteppedWindow:
    """Always has a place."""

    async def acquire(self, timeout: float | None = None) -> bool:
        return True

    def release(self, n: int = 1) -> None:
        return None


class SteppedExecutor:
    """Time that passes only where somebody waits (Executor)."""

    is_virtual = True

    def __init__(self) -> None:
        self.now_s = 0.0

    def now_ns(self) -> int:
        return int(self.now_s * 1e9)

    def wall_ms(self) -> int:
        return 1_700_000_000_000 + int(self.now_s * 1000)

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    async def pause(self, seconds: float) -> None:
        self.now_s += seconds

    def signal(self) -> SteppedSignal:
        return SteppedSignal(self)

    def window(self, places: int) -> SteppedWindow:
        return SteppedWindow()

    def start(self, name: str, work: Callable[[], Work[None]]) -> Any:
        raise AssertionError("roles are called by the tests")

    def run(self, work: Work[T]) -> T:
        return finished(work)

    async def connect(self, host: str, port: int, timeout_s: float) -> Any:
        raise AssertionError("the clients of these tests need no broker")


@dataclass
class FakeConsumer:
    """Gives what each poll is to give: records, or an exception."""

    executor: SteppedExecutor
    polls: list[list[Consumed] | Exception]
    changes: dict[int, list[Any]] = field(default_factory=dict)
    """Number of a poll → changes of the assignment that happen during it."""
    commits: list[Mapping[tuple[str, int], int]] = field(default_factory=list)
    refuses_commits: bool = False
    is_closed: bool = False
    next_position: int = 0
    seeks: list[tuple[str, int, int]] = field(default_factory=list)
    _on_change: OnChange | None = None
    _count: int = 0

    def assign(self, partitions: Sequence[tuple[str, int]]) -> None:
        return None

    def subscribe(self, topics: Sequence[str], on_change: OnChange) -> None:
        self._on_change = on_change

    def poll(self, timeout_s: float) -> list[Consumed]:
        self.executor.sleep(timeout_s)
        for change in self.changes.get(self._count, ()):
            assert self._on_change is not None
            self._on_change(change)
        self._count += 1
        found = self.polls.pop(0) if self.polls else []
        if isinstance(found, Exception):
            raise found
        return found

    def seek(self, topic: str, partition: int, offset: int) -> None:
        self.seeks.append((topic, partition, offset))

    def position(self, topic: str, partition: int) -> int:
        return self.next_position

    def commit(self, offsets: Mapping[tuple[str, int], int] | None = None) -> None:
        from harness.clients.client import ClientTrouble

        if self.refuses_commits:
            raise ClientTrouble("ILLEGAL_GENERATION")
        self.commits.append(dict(offsets or {}))

    def close(self) -> None:
        self.is_closed = True


@dataclass
class FakeProducer:
    """Answers each send as it is told; with `breaks` it meets a fatal error when it has answered all."""

    answers: list[Delivery]
    identities: list[ProducerIdentity | None] = field(default_factory=list)
    retried: int | None = None
    breaks: bool = False
    is_closed: bool = False

    def send(self, topic: str, partition: int | None, *, on_delivery: Callable[[Delivery], None], **_: Any) -> None:
        on_delivery(self.answers.pop(0))

    def flush(self, timeout_s: float) -> None:
        return None

    def identity(self) -> ProducerIdentity | None:
        return self.identities.pop(0) if len(self.identities) > 1 else (self.identities or [None])[0]

    def retries(self) -> int | None:
        return self.retried

    def is_broken(self) -> bool:
        return self.breaks and not self.answers

    def close(self) -> None:
        self.is_closed = True


@dataclass
class FakeLibrary:
    """Gives the clients that it was made with, one after another."""

    consumers: list[FakeConsumer | Exception] = field(default_factory=list)
    producers: list[FakeProducer | Exception] = field(default_factory=list)
    name: str = "fake"
    most_in_flight: int = 5
    acknowledges_by_later: bool = False

    def consumer(self, *_: Any) -> FakeConsumer:
        found = self.consumers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def producer(self, *_: Any) -> FakeProducer:
        found = self.producers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


@dataclass
class FakeCluster:
    """A cluster that is looked at."""

    bootstrap: str = "127.0.0.1:1"

    def view(self, topics: Sequence[str] | None = None, groups: Sequence[str] = ()) -> Any:
        return None


@dataclass
class Stage:
    """A run for one role."""

    executor: SteppedExecutor
    library: FakeLibrary
    path: Path
    cluster: FakeCluster = field(default_factory=FakeCluster)
    context: Any = None

    def set_up(self, queue: Queue) -> RunContext:
        """The context of a run of a workload."""
        writer = HistoryWriter(self.path, clock_ns=self.executor.now_ns)
        self.context = RunContext(
            queue,
            self.cluster,  # type: ignore[arg-type]
            self.library,  # type: ignore[arg-type]
            seed=1,
            writer=writer,
            executor=self.executor,
        )
        return self.context

    def history(self) -> History:
        """What was written."""
        self.context.writer.close()
        return read_history(self.path)

    def lines(self) -> list[str]:
        """ "invoke poll", "ok commit", … of each operation."""
        return [f"{operation.kind} {operation.f}" for operation in self.history()]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(SteppedExecutor(), FakeLibrary(), tmp_path / "history.jsonl")


def record(offset: int, partition: int = 0, value: bytes = b"1.1|x") -> Consumed:
    """A record of topic t."""
    return Consumed(topic="t", partition=partition, offset=offset, timestamp=5, key=None, value=value, headers=())
