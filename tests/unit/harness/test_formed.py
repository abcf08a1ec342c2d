"""A scenario that goes on from a formed cluster is the scenario that forms its own."""

from __future__ import annotations

from harness.simulate.formed import RUN_WHOLE, run_from_formed
from reference_broker.simulation.scenario.plan import split_plan
from reference_broker.simulation.scenario.run import Scenario

FORKED = 3


def test_a_scenario_from_a_formed_cluster_has_the_outcome_of_the_whole_scenario() -> None:
    plans = [split_plan(seed) for seed in range(100, 100 + RUN_WHOLE + FORKED)]

    outcomes = [run_from_formed(plan) for plan in plans]

    assert outcomes == [Scenario(plan).run() for plan in plans]
