"""Flushes happen in a thread, in order, and each is settled once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from reference_broker.effects import Flush
from reference_broker.server.flusher import Flusher


@dataclass(eq=False)
class Target:
    """A file whose flush can be held up, and can fail."""

    name: str
    done: list[str]
    error: Exception | None = None
    may_go_on: threading.Event = field(default_factory=threading.Event)
    threads: list[int] = field(default_factory=list)

    def flush(self) -> None:
        assert self.may_go_on.wait(5)
        self.threads.append(threading.get_ident())
        self.done.append(self.name)
        if self.error is not None:
            raise self.error


class Bench:
    def __init__(self) -> None:
        self.done: list[str] = []
        self.settled: list[tuple[int, OSError | None]] = []
        self.woken = threading.Event()
        self.flusher = Flusher(self.woken.set, lambda token, outcome: self.settled.append((token, outcome)))

    def target(self, name: str, error: Exception | None = None, is_held: bool = False) -> Target:
        made = Target(name, self.done, error)
        if not is_held:
            made.may_go_on.set()
        return made

    def report_until(self, holds: Callable[[], bool]) -> bool:
        end = time.monotonic() + 5
        while not holds() and time.monotonic() < end:
            self.woken.wait(0.05)
            self.flusher.report()
        return holds()


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.flusher.close()


def test_a_flush_is_settled_once_with_nothing_when_it_is_done(bench: Bench) -> None:
    bench.flusher.flush(Flush(7, (bench.target("a"), bench.target("b"))))

    assert bench.report_until(lambda: bool(bench.settled))
    assert (bench.settled, bench.done) == ([(7, None)], ["a", "b"])


def test_a_flush_happens_in_another_thread(bench: Bench) -> None:
    target = bench.target("a")
    bench.flusher.flush(Flush(1, (target,)))

    assert bench.report_until(lambda: bool(bench.settled))
    assert threading.get_ident() not in target.threads


def test_nothing_is_settled_before_it_is_reported(bench: Bench) -> None:
    bench.flusher.flush(Flush(1, (bench.target("a"),)))

    assert bench.woken.wait(5)
    assert bench.settled == []


def test_a_failure_is_told_as_the_error_of_the_system(bench: Bench) -> None:
    broken = OSError(5, "Input/output error")
    bench.flusher.flush(Flush(1, (bench.target("a", broken),)))

    assert bench.report_until(lambda: bool(bench.settled))
    assert bench.settled == [(1, broken)]


def test_any_other_failure_is_told_as_one_of_the_system_too(bench: Bench) -> None:
    bench.flusher.flush(Flush(1, (bench.target("a", ValueError("closed")),)))

    assert bench.report_until(lambda: bool(bench.settled))
    assert isinstance(bench.settled[0][1], OSError)


def test_flushes_that_wait_are_done_together(bench: Bench) -> None:
    slow, file = bench.target("slow", is_held=True), bench.target("file")
    bench.flusher.flush(Flush(1, (slow,)))
    while not bench.flusher._worker._jobs.empty():
        time.sleep(0.001)
    for token in (2, 3, 4):
        bench.flusher.flush(Flush(token, (file,)))

    slow.may_go_on.set()

    assert bench.report_until(lambda: len(bench.settled) == 4)
    assert (bench.settled, bench.done) == ([(1, None), (2, None), (3, None), (4, None)], ["slow", "file"])


def test_closing_waits_for_the_flushes_that_were_asked_for(bench: Bench) -> None:
    bench.flusher.flush(Flush(1, (bench.target("a"),)))

    bench.flusher.close()

    assert bench.done == ["a"]
