"""Parked requests come back when what they wait for happens, or when their time is over, and only once."""

from __future__ import annotations

from dataclasses import dataclass, field

from reference_broker.effects import ConnectionId, Park, Ticket
from reference_broker.purgatory import Purgatory


@dataclass
class Waiting:
    """A purgatory, and the readiness of what is parked in it."""

    purgatory: Purgatory = field(default_factory=Purgatory)
    ready: list[int] = field(default_factory=list)

    def park(self, number: int, *keys: str, deadline_ms: int = 1000) -> Ticket:
        ticket = Ticket(ConnectionId(number), 0, 1, 4)
        park = Park(keys, lambda: number in self.ready, deadline_ms, lambda now_ms: None)
        self.purgatory.add(ticket, park)
        return ticket

    def touched(self, *keys: str) -> list[int]:
        return [ticket.connection for ticket, _ in self.purgatory.take_ready(keys)]

    def expired(self, now_ms: int) -> list[int]:
        return [ticket.connection for ticket, _ in self.purgatory.take_expired(now_ms)]


def test_a_touch_brings_back_what_is_ready_and_leaves_what_is_not() -> None:
    waiting = Waiting(ready=[2])
    waiting.park(1, "a")
    waiting.park(2, "a")
    assert waiting.touched("a") == [2]


def test_a_key_that_nobody_waits_for_brings_back_nothing() -> None:
    waiting = Waiting(ready=[1])
    waiting.park(1, "a")
    assert waiting.touched("b") == []


def test_what_waits_for_several_keys_comes_back_once() -> None:
    waiting = Waiting(ready=[1])
    waiting.park(1, "a", "b")
    assert waiting.touched("a", "b") == [1]


def test_a_deadline_brings_back_what_is_not_ready() -> None:
    waiting = Waiting()
    waiting.park(1, "a", deadline_ms=500)
    waiting.park(2, "a", deadline_ms=501)
    assert waiting.expired(500) == [1]


def test_what_came_back_does_not_expire() -> None:
    waiting = Waiting(ready=[1])
    waiting.park(1, "a")
    waiting.touched("a")
    assert waiting.expired(5000) == []


def test_the_deadline_of_one_that_is_gone_is_not_waited_for() -> None:
    waiting = Waiting(ready=[1])
    waiting.park(1, "a", deadline_ms=500)
    waiting.park(2, "a", deadline_ms=900)
    waiting.touched("a")
    assert waiting.purgatory.next_deadline_ms() == 900


def test_a_connection_that_is_gone_takes_its_request_along() -> None:
    waiting = Waiting(ready=[1])
    waiting.park(1, "a")
    waiting.purgatory.forget(ConnectionId(1))
    assert (waiting.touched("a"), len(waiting.purgatory)) == ([], 0)
