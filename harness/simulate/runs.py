"""Scenarios by seed in one process or several; a failing one is shrunk to the steps that it needs."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from harness.simulate.formed import run_life, trace_life
from reference_broker.simulation.faults import shrink
from reference_broker.simulation.scenario.plan import (
    SPLITS_IN_A_LIFE,
    Plan,
    Step,
    life_up_to,
    plan_of,
    split_plan,
)
from reference_broker.simulation.scenario.run import Outcome, Scenario

SPLIT: Final = "split"
KINDS: Final[dict[str, Callable[[int], Plan]]] = {"usual": plan_of, SPLIT: split_plan}
"""What a seed gives: any faults, or three nodes with one split and its heal."""
MOST_ATTEMPTS: Final = 150
"""How many times a failing scenario is run again to find its least schedule."""
COLLECTED_EVERY: Final = 8
"""Garbage is collected after so many scenarios: their nodes are full of cycles, and in between it only costs time."""
_run_here = {"count": 0}


class Finding(Struct, frozen=True, kw_only=True):
    """What became of a seed. `least` are the steps of its plan that its failure needs; empty where it did not fail."""

    outcome: Outcome
    steps: int
    least: tuple[str, ...] = ()


def run_seeds(kind: str, seeds: Sequence[int], *, is_shrunk: bool) -> list[Finding]:
    """Run seeds that one process has to run together; where one fails, find the least of its steps that still does."""
    if kind == SPLIT:
        plans = [split_plan(seed) for seed in life_up_to(seeds[-1])]
        outcomes = run_life(plans)[-len(seeds) :]
        return [Finding(outcome=outcome, steps=0) for outcome in outcomes]
    return [_run_alone(KINDS[kind](seed), is_shrunk=is_shrunk) for seed in seeds]


def _run_alone(plan: Plan, *, is_shrunk: bool) -> Finding:
    outcome = _run(plan)
    if outcome.wrong is None or not is_shrunk:
        return Finding(outcome=outcome, steps=len(plan.steps))
    attempts = 0

    def is_failing(steps: Sequence[Step]) -> bool:
        nonlocal attempts
        attempts += 1
        return attempts <= MOST_ATTEMPTS and _run(plan.with_steps(steps)).wrong is not None

    least = shrink(plan.steps, is_failing)
    return Finding(outcome=outcome, steps=len(plan.steps), least=tuple(map(str, least)))


def _run(plan: Plan) -> Outcome:
    outcome = Scenario(plan).run()
    _run_here["count"] += 1
    if not _run_here["count"] % COLLECTED_EVERY:
        gc.collect()
    return outcome


def trace(kind: str, seed: int) -> Outcome:
    """All that happens in the scenario of a seed."""
    if kind == SPLIT:
        return trace_life([split_plan(one) for one in life_up_to(seed)])
    return Scenario(KINDS[kind](seed), is_recorded=True).run()


def run_all(kind: str, seeds: range, jobs: int, *, is_shrunk: bool) -> Iterator[Finding]:
    """Run seeds in so many processes; each finding as soon as it is there."""
    job, together = _Job(kind, is_shrunk), _together(kind, seeds)
    if jobs == 1:
        _begin()
        for some in together:
            yield from job(some)
        return
    with multiprocessing.get_context("fork").Pool(jobs, _begin) as pool:
        for findings in pool.imap_unordered(job, together):
            yield from findings


def _together(kind: str, seeds: range) -> Iterator[range]:
    """Seeds that are run by one process: the splits of one cluster, else each seed alone."""
    first = seeds.start
    while first < seeds.stop:
        following = life_up_to(first).start + SPLITS_IN_A_LIFE if kind == SPLIT else first + 1
        yield range(first, min(following, seeds.stop))
        first = following


def _begin() -> None:
    gc.collect()
    gc.freeze()
    gc.disable()


class _Job:
    """What a process does with seeds."""

    def __init__(self, kind: str, is_shrunk: bool) -> None:
        self._kind, self._is_shrunk = kind, is_shrunk

    def __call__(self, seeds: Sequence[int]) -> list[Finding]:
        return run_seeds(self._kind, seeds, is_shrunk=self._is_shrunk)
