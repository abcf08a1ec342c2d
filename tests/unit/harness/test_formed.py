"""Splits in a fork of a formed cluster are the splits of a cluster that is formed for them."""

from __future__ import annotations

import msgspec
import pytest

from harness.simulate.formed import run_life, trace_life
from harness.simulate.runs import run_seeds
from reference_broker.simulation.scenario.plan import SPLITS_IN_A_LIFE, life_up_to, split_plan
from reference_broker.simulation.scenario.run import Outcome, Scenario

LAST = 10 * SPLITS_IN_A_LIFE + 2
PLANS = [split_plan(seed) for seed in life_up_to(LAST)]


def lived(*seeds: int) -> list[Outcome]:
    """The outcomes of splits of a cluster that is formed in this process."""
    scenario = Scenario(split_plan(seeds[0]))
    assert scenario.form() is None
    return [scenario.go_on(split_plan(seed)) for seed in seeds]


def test_a_life_has_the_same_outcomes_in_the_process_itself_and_in_forks() -> None:
    expected = lived(LAST - 2, LAST - 1, LAST)
    assert [one.wrong for one in expected] == [None] * 3
    assert [run_life(PLANS) for _ in range(3)] == [expected] * 3


def test_a_seed_has_the_same_outcome_alone_and_among_others() -> None:
    among, alone = run_seeds("split", [LAST - 1, LAST], is_shrunk=False), run_seeds("split", [LAST], is_shrunk=False)
    assert among[1:] == alone


def test_a_trace_tells_the_split_of_its_seed_alone() -> None:
    outcome = trace_life(PLANS)
    assert sum("fault: isolate" in line for line in outcome.lines) == 1
    assert msgspec.structs.replace(outcome, lines=()) == run_life(PLANS)[-1]


def test_after_a_split_that_fails_another_cluster_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    judge, expected = Scenario._judge, lived(LAST)

    def planted(scenario: Scenario) -> str | None:
        return "planted" if scenario.plan.seed == LAST - 1 else judge(scenario)

    monkeypatch.setattr(Scenario, "_judge", planted)

    good, bad, after = run_life(PLANS)

    assert (good.wrong, bad.wrong) == (None, f"seed {LAST - 1}: planted")
    assert [after] == expected
