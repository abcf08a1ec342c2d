"""A schedule of faults is repeatable, never overlaps, and ends before the run does."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nemesis.packages import FAULTS, Strike, fault_named, schedule


def drawn(seed: int, duration_s: float, **options: float) -> tuple[Strike, ...]:
    return schedule([fault_named(name) for name, _ in FAULTS], Random(seed), duration_s=duration_s, **options)


def times(strikes: tuple[Strike, ...]) -> list[tuple[str, float, float]]:
    return [(strike.fault.name, strike.inject_at_s, strike.heal_at_s) for strike in strikes]


def test_the_same_seed_gives_the_same_schedule() -> None:
    assert times(drawn(7, 60)) == times(drawn(7, 60))


@given(st.integers(0, 2**32), st.floats(0, 300), st.floats(0.1, 20), st.floats(0, 10))
def test_strikes_do_not_overlap_and_heal_before_the_end(seed: int, duration: float, every: float, hold: float) -> None:
    strikes = drawn(seed, duration, every_s=every, hold_s=hold)
    in_order = all(first.heal_at_s <= second.inject_at_s for first, second in pairwise(strikes))
    assert in_order
    assert all(0 <= strike.inject_at_s <= strike.heal_at_s <= duration for strike in strikes)


@given(st.integers(0, 2**32))
def test_a_run_of_ten_seconds_has_a_strike(seed: int) -> None:
    assert drawn(seed, 10)


@given(st.integers(0, 2**32))
def test_each_fault_comes_once_before_any_comes_again(seed: int) -> None:
    names = [strike.fault.name for strike in drawn(seed, 120)]
    assert sorted(names[: len(FAULTS)]) == sorted(name for name, _ in FAULTS)


def test_no_faults_make_no_strikes() -> None:
    assert schedule([], Random(1), duration_s=60) == ()


def test_a_jitter_that_could_turn_time_back_is_refused() -> None:
    with pytest.raises(ValueError, match="jitter 1"):
        drawn(1, 60, jitter=1)
