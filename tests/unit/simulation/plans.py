"""Plans of tests, and what fails in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from random import Random

from reference_broker.simulation.cluster import Layout
from reference_broker.simulation.faults import Fault
from reference_broker.simulation.scenario.plan import Plan, settings_of, split_plan
from reference_broker.simulation.scenario.run import Scenario

MOST_SEEDS = 16


def plan_with(seed: int, faults: Sequence[Fault], **settings: str) -> Plan:
    """Three nodes, busy producers, and these faults."""
    plan = split_plan(seed)
    usual = settings_of(session_ms=1000, fetch_ms=1000, lag_ms=2000)
    return replace(
        plan,
        forming_seed=seed,
        layout=Layout(nodes=3, settings={**usual, **settings}),
        faults=tuple(faults),
        duration_ms=2000,
        core=tuple(sorted(Random(seed).sample((1, 2, 3), 2))),
        pause_ms=10,
        largest_batch=3,
        split=None,
    )


def failures(make: Callable[[int], Plan]) -> Iterator[str]:
    """What is broken in the seeds that fail."""
    outcomes = (Scenario(make(seed)).run().wrong for seed in range(MOST_SEEDS))
    return (wrong for wrong in outcomes if wrong is not None)
