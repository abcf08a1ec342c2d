"""Plans of tests, and what fails in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from reference_broker.simulation.cluster import Layout
from reference_broker.simulation.faults import Fault
from reference_broker.simulation.scenario.plan import Plan, split_plan
from reference_broker.simulation.scenario.run import Scenario

MOST_SEEDS = 16


def plan_with(seed: int, faults: Sequence[Fault], **settings: str) -> Plan:
    """Three nodes, busy producers, and these faults."""
    plan = split_plan(seed)
    layout = Layout(nodes=3, settings={**plan.layout.settings, **settings})
    return replace(plan, forming_seed=seed, layout=layout, faults=tuple(faults), pause_ms=10, largest_batch=3)


def failures(make: Callable[[int], Plan]) -> Iterator[str]:
    """What is broken in the seeds that fail."""
    outcomes = (Scenario(make(seed)).run().wrong for seed in range(MOST_SEEDS))
    return (wrong for wrong in outcomes if wrong is not None)
