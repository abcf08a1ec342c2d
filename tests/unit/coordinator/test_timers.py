"""Timers by deadline: set, moved, cancelled, taken in order."""

from __future__ import annotations

from reference_broker.coordinator.shard import NOTHING, Decision
from reference_broker.coordinator.timers import PartitionTimers, Timers
from reference_broker.environment import Now


def action(now: Now) -> Decision:
    return NOTHING


def due(timers: Timers, now_ms: int) -> list[int]:
    return [partition for partition, _ in timers.take_due(now_ms)]


def test_what_is_due_is_taken_in_the_order_of_deadlines() -> None:
    timers = Timers()
    timers.set(1, ("a",), 30, action)
    timers.set(2, ("a",), 10, action)
    timers.set(3, ("a",), 20, action)

    assert due(timers, 25) == [2, 3]


def test_the_next_deadline_is_that_of_the_earliest_timer() -> None:
    timers = Timers()
    timers.set(1, ("a",), 30, action)
    timers.set(1, ("b",), 20, action)

    assert timers.next_deadline_ms() == 20


def test_a_timer_that_is_moved_later_is_not_due_before() -> None:
    timers = Timers()
    timers.set(1, ("a",), 10, action)
    timers.set(1, ("a",), 50, action)

    assert due(timers, 49) == []
    assert timers.next_deadline_ms() == 50
    assert due(timers, 50) == [1]


def test_a_timer_that_is_moved_earlier_is_due_then_and_once() -> None:
    timers = Timers()
    timers.set(1, ("a",), 50, action)
    timers.set(1, ("a",), 10, action)

    assert due(timers, 60) == [1]


def test_a_cancelled_timer_is_never_due() -> None:
    timers = Timers()
    timers.set(1, ("a",), 10, action)
    timers.cancel(1, ("a",))

    assert (due(timers, 99), timers.next_deadline_ms()) == ([], None)


def test_a_key_that_was_cancelled_can_be_set_again() -> None:
    timers = Timers()
    timers.set(1, ("a",), 10, action)
    timers.cancel(1, ("a",))
    timers.set(1, ("a",), 30, action)

    assert due(timers, 29) == []
    assert due(timers, 30) == [1]


def test_all_timers_of_a_partition_can_be_cancelled() -> None:
    timers = Timers()
    timers.set(1, ("a",), 10, action)
    timers.set(2, ("a",), 10, action)
    timers.cancel_all(1)

    assert due(timers, 10) == [2]


def test_what_is_set_while_others_run_waits_for_the_next_turn() -> None:
    timers = Timers()
    view = PartitionTimers(timers, 1)
    view.after(("a",), 0, Now(7, 10), action)
    seen = []
    for partition, _ in timers.take_due(10):
        seen.append(partition)
        view.after(("a",), 0, Now(7, 10), action)

    assert seen == [1]
    assert timers.next_deadline_ms() == 10


def test_a_timer_that_an_earlier_one_cancels_does_not_run() -> None:
    timers = Timers()
    timers.set(1, ("a",), 10, action)
    timers.set(2, ("b",), 11, action)
    seen = []
    for partition, _ in timers.take_due(20):
        seen.append(partition)
        timers.cancel(2, ("b",))

    assert seen == [1]


def test_heartbeats_do_not_make_the_queue_grow() -> None:
    timers = Timers()
    for now_ms in range(1_000):
        timers.set(1, ("session",), now_ms + 10_000, action)

    assert len(timers._heap) == 1
