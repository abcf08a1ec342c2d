"""A schedule of faults is repeatable, never overlaps, and ends before the run does."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nemesis.fault import Family
from nemesis.kill import Kill
from nemesis.pause import Pause
from nemesis.schedules import Spell, schedule

FAULTS = (Kill(), Pause())
seeds = st.integers(0, 2**32)


class Split(Kill):
    """A fault of another family."""

    family = Family.LINK


def drawn(seed: int, duration_s: float, **options: float) -> tuple[Spell, ...]:
    return schedule([*FAULTS, Split()], Random(seed), duration_s=duration_s, **options)


def told(spells: tuple[Spell, ...]) -> list[tuple[str, float, float]]:
    return [(str([fault.kind for fault in spell.faults]), spell.begin_s, spell.end_s) for spell in spells]


def test_the_same_seed_gives_the_same_schedule() -> None:
    assert told(drawn(7, 600)) == told(drawn(7, 600))


@given(seeds, st.just(0.0) | st.floats(0.5, 600), st.floats(1, 60), st.floats(0.1, 0.75), st.floats(0, 10))
def test_spells_do_not_overlap_and_heal_before_the_end(
    seed: int, duration: float, period: float, hold: float, calm: float
) -> None:
    spells = drawn(seed, duration, period_s=period, hold_share=hold, calm_s=calm)
    in_order = all(first.end_s < second.begin_s for first, second in pairwise(spells))
    assert in_order
    assert all(0 <= spell.begin_s < spell.end_s <= duration for spell in spells)


@given(seeds, st.floats(0.5, 600))
def test_every_run_with_faults_has_one(seed: int, duration: float) -> None:
    assert any(spell.faults for spell in drawn(seed, duration))


@given(seeds)
def test_a_combination_has_one_fault_of_a_family(seed: int) -> None:
    for spell in drawn(seed, 600):
        families = [fault.family for fault in spell.faults]
        assert len(set(families)) == len(families)


@given(seeds)
def test_a_share_of_the_periods_is_quiet(seed: int) -> None:
    spells = drawn(seed, 20_000, quiet_share=0.25)
    quiet = sum(not spell.faults for spell in spells) / len(spells)
    assert 0.1 < quiet < 0.4


@given(seeds)
def test_no_period_is_quiet_when_none_shall_be(seed: int) -> None:
    assert all(spell.faults for spell in drawn(seed, 600, quiet_share=0))


@given(seeds)
def test_each_fault_comes_once_before_any_comes_again(seed: int) -> None:
    names = [fault.kind for spell in schedule(FAULTS, Random(seed), duration_s=600) for fault in spell.faults]
    assert sorted(names[:2]) == ["kill", "pause"]


def test_no_faults_make_no_spells() -> None:
    assert schedule([], Random(1), duration_s=60) == ()


def test_a_hold_that_leaves_no_quiet_is_refused() -> None:
    with pytest.raises(ValueError, match="faults during 1 of each"):
        drawn(1, 60, hold_share=1)
