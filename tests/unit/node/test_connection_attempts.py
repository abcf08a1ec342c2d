"""Attempts to connect to a peer: the waits between them, and the limit of each."""

from __future__ import annotations

from random import Random

from reference_broker.connection_attempts import ConnectionAttempts
from reference_broker.waiting import NEVER_MS


class Middle(Random):
    """Chance that makes no time longer or shorter."""

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        return (start + (stop or 0)) // 2


def attempts() -> ConnectionAttempts:
    return ConnectionAttempts(Middle(), timeout_ms=10_000, timeout_max_ms=30_000)


def test_the_wait_after_a_failure_doubles_up_to_a_second() -> None:
    made = attempts()

    waits = []
    for _ in range(7):
        made.on_failure(5)
        waits.append(made.retry_at_ms - 5)

    assert waits == [50, 100, 200, 400, 800, 1000, 1000]


def test_the_limit_of_an_attempt_doubles_with_each_failure_up_to_its_maximum() -> None:
    made = attempts()

    limits = []
    for _ in range(3):
        made.begin(7)
        limits.append(made.connect_by_ms - 7)
        made.on_failure(7)

    assert limits == [10_000, 20_000, 30_000]


def test_the_first_wait_counts_again_once_the_peer_has_answered() -> None:
    made = attempts()
    made.on_failure(0)
    made.on_failure(0)

    made.on_answer()
    made.on_failure(0)

    assert made.retry_at_ms == 50


def test_an_attempt_that_has_ended_has_no_limit() -> None:
    made = attempts()
    made.begin(0)

    made.end()

    assert made.connect_by_ms == NEVER_MS


def test_times_are_up_to_a_fifth_longer_or_shorter() -> None:
    made = ConnectionAttempts(Random(1), timeout_ms=10_000, timeout_max_ms=30_000)

    waits = []
    for _ in range(200):
        made.on_answer()
        made.on_failure(0)
        waits.append(made.retry_at_ms)

    assert (min(waits), max(waits)) == (40, 60)
