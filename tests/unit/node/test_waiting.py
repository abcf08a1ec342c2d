"""Answers that come later: their deadlines, and what becomes of those that nobody waits for any more."""

from __future__ import annotations

from typing import Any

from reference_broker.environment import Now
from reference_broker.waiting import Deadlines, Later

NOW = Now(1_000, 5)


def test_what_is_due_is_taken_in_the_order_of_deadlines() -> None:
    deadlines = Deadlines()
    first, second, third = (Later(deadline_ms) for deadline_ms in (10, 20, 30))
    for later in (second, first, third):
        deadlines.add(later)
    assert deadlines.take_due(25) == [first, second]


def test_an_answer_that_is_known_has_no_deadline_any_more() -> None:
    deadlines = Deadlines()
    known, open_one = Later(10), Later(20)
    for later in (known, open_one):
        deadlines.add(later)
    known.complete("known")
    assert deadlines.next_deadline_ms() == 20


def test_an_answer_without_a_deadline_is_never_due() -> None:
    deadlines = Deadlines()
    deadlines.add(Later())
    assert deadlines.take_due(1 << 61) == []


def test_answers_that_are_known_do_not_pile_up_until_their_deadlines() -> None:
    deadlines = Deadlines()
    for number in range(10_000):
        later = Later(1_000_000 + number)
        deadlines.add(later)
        later.complete("known")
    assert len(deadlines._heap) <= Deadlines.FEW


def test_an_error_while_the_answer_is_made_is_the_answer() -> None:
    told: list[Any] = []
    failure = ValueError("broken")

    def fail(now: Now) -> None:
        raise failure

    later = Later(10, fail)
    later.then(told.append)
    later.expire(NOW)
    assert told == [failure]


def test_nobody_is_told_an_answer_that_was_given_up() -> None:
    told: list[Any] = []
    later = Later(10, lambda now: "late")
    later.then(told.append)
    later.cancel()
    later.complete("in time")
    later.expire(NOW)
    assert told == []
