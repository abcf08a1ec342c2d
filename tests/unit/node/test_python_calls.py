"""What a request costs in the server, in calls of Python functions: the same number on every machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.python_calls import (
    FETCH_GOAL,
    PRODUCE_GOAL,
    ROUNDS,
    WAITING_FETCH_GOAL,
    CountedBroker,
    counted_broker,
    python_calls,
    usual,
)


@pytest.fixture(scope="module")
def broker() -> Iterator[CountedBroker]:
    with counted_broker() as counted:
        counted.produce()
        yield counted


def test_calls_of_python_functions_count_and_those_of_others_do_not() -> None:
    def inner() -> int:
        return len("abc")

    def outer() -> None:
        inner()
        list(map(len, ["a", "b"]))
        inner()

    assert python_calls(outer) == 2


@pytest.mark.parametrize("acks", [1, -1])
def test_a_produce_of_one_batch_keeps_to_its_goal(broker: CountedBroker, acks: int) -> None:
    assert usual(lambda: broker.produce(acks)) <= PRODUCE_GOAL


def test_a_produce_of_an_idempotent_producer_keeps_to_the_same_goal(broker: CountedBroker) -> None:
    assert usual(lambda: broker.produce(-1, is_idempotent=True)) <= PRODUCE_GOAL


def test_a_fetch_of_one_batch_keeps_to_its_goal(broker: CountedBroker) -> None:
    assert usual(broker.fetch) <= FETCH_GOAL


def test_a_fetch_in_a_session_keeps_to_its_goal(broker: CountedBroker) -> None:
    session_id, epochs = broker.begin_session(), iter(range(1, ROUNDS + 1))
    assert usual(lambda: broker.fetch(session_id, next(epochs))) <= FETCH_GOAL


def test_a_fetch_that_waits_keeps_to_its_goal(broker: CountedBroker) -> None:
    assert usual(broker.waiting_fetch) <= WAITING_FETCH_GOAL
