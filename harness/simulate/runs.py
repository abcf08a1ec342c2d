"""Scenarios by seed in one process or several; a failing one is shrunk to the steps that it needs."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from harness.simulate.formed import run_from_formed
from reference_broker.simulation.faults import shrink
from reference_broker.simulation.scenario.plan import Plan, Step, plan_of, split_plan
from reference_broker.simulation.scenario.run import Outcome, Scenario

KINDS: Final[dict[str, Callable[[int], Plan]]] = {"usual": plan_of, "split": split_plan}
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


def run_seed(kind: str, seed: int, *, is_shrunk: bool) -> Finding:
    """Run one seed; where it fails, find the least of its steps with which it still does."""
    plan = KINDS[kind](seed)
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
    if plan.forming_seed != plan.seed:
        return run_from_formed(plan)
    outcome = Scenario(plan).run()
    _run_here["count"] += 1
    if not _run_here["count"] % COLLECTED_EVERY:
        gc.collect()
    return outcome


def run_all(kind: str, seeds: range, jobs: int, *, is_shrunk: bool) -> Iterator[Finding]:
    """Run seeds in so many processes; each finding as soon as it is there."""
    if jobs == 1:
        _begin()
        for seed in seeds:
            yield run_seed(kind, seed, is_shrunk=is_shrunk)
        return
    with multiprocessing.get_context("fork").Pool(jobs, _begin) as pool:
        yield from pool.imap_unordered(_Job(kind, is_shrunk), seeds)


def _begin() -> None:
    gc.collect()
    gc.freeze()
    gc.disable()


class _Job:
    """What a process does with a seed."""

    def __init__(self, kind: str, is_shrunk: bool) -> None:
        self._kind, self._is_shrunk = kind, is_shrunk

    def __call__(self, seed: int) -> Finding:
        return run_seed(self._kind, seed, is_shrunk=self._is_shrunk)
