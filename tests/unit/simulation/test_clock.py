"""Clocks of simulated nodes."""

from __future__ import annotations

import pytest

from reference_broker.environment import Now
from reference_broker.simulation.clock import BEGINNING_MS, NodeClock


def test_a_right_clock_follows_the_world() -> None:
    assert NodeClock().now(2_500_999) == Now(BEGINNING_MS + 2500, 2500)


def test_a_jump_moves_the_wall_clock_alone() -> None:
    clock = NodeClock()
    clock.jump(-5000)
    assert clock.now(7_000_000) == Now(BEGINNING_MS + 2000, 7000)


@pytest.mark.parametrize("drift_ppm", [-200_000, -1, 0, 1, 333_333])
@pytest.mark.parametrize("monotonic_ms", [0, 1, 999, 123_457])
def test_a_deadline_comes_with_the_first_moment_that_shows_it(drift_ppm: int, monotonic_ms: int) -> None:
    clock = NodeClock(drift_ppm=100)
    clock.run_at(drift_ppm, 12_345)
    due_us = clock.time_of(monotonic_ms)
    assert clock.now(due_us).monotonic_ms >= monotonic_ms
    assert due_us <= 12_345 or clock.now(due_us - 1).monotonic_ms < monotonic_ms


def test_a_clock_that_changes_its_speed_does_not_jump() -> None:
    clock = NodeClock(drift_ppm=500_000)
    before = clock.now(3_000_000)
    clock.run_at(-500_000, 3_000_000)
    assert clock.now(3_000_000) == before
