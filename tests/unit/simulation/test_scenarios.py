"""Whole clusters under faults: a few seeds that hold, and the same history for the same seed."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from reference_broker.simulation.faults import Act
from reference_broker.simulation.scenario.ledger import Ledger
from reference_broker.simulation.scenario.operation import Operation, Request
from reference_broker.simulation.scenario.other_topics import OtherTopics
from reference_broker.simulation.scenario.plan import CutOff, plan_of, split_plan
from reference_broker.simulation.scenario.quorum import has_removed_its_leader, missing_voter
from reference_broker.simulation.scenario.run import Scenario
from reference_broker.simulation.tasks import spawn
from reference_broker.simulation.world import World

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("seed", range(12))
def test_what_must_hold_holds_under_any_faults(seed: int) -> None:
    assert Scenario(plan_of(seed)).run().wrong is None


FAILED_ONCE = {
    114: "a replica that was removed and is one again, with an empty log, of which its leader had not heard",
    729: "a broker set the log aside of a replica that it was no more, and was made one again",
    815: "a majority was looked for of no voters, which is what a new controller knows",
    1451: "what only an uncleanly elected replica had was not taken for committed by its leadership",
    1849: "what a node did in the event in which it halted was not looked at",
    4413: "a broker drew by chance each time whom to ask for the leader, and most were cut off: that took 33 s",
}
"""Seeds that have failed since scenarios have parts, and why: but for 4413 the test was wrong. Plans may change."""


@pytest.mark.parametrize("seed", FAILED_ONCE)
def test_what_must_hold_holds_in_seeds_that_failed_once(seed: int) -> None:
    assert Scenario(plan_of(seed)).run().wrong is None, FAILED_ONCE[seed]


@pytest.mark.parametrize("seed", range(4))
def test_what_must_hold_holds_in_a_split_and_after_its_heal(seed: int) -> None:
    assert Scenario(split_plan(seed)).run().wrong is None


@pytest.mark.long
@pytest.mark.parametrize("fifty", range(20))
def test_what_must_hold_holds_under_any_faults_of_many_seeds(fifty: int) -> None:
    for seed in range(50 * fifty, 50 * fifty + 50):
        assert Scenario(plan_of(seed)).run().wrong is None


def test_power_is_lost_once_at_most_where_appends_are_not_flushed() -> None:
    """With kills beside it, data may be lost by the rules of KIP-966: all who were eligible ended uncleanly."""
    for plan in (plan_of(seed) for seed in range(300) if not plan_of(seed).is_durable):
        spares = plan.layout.spare_ids  # all that these have is flushed
        acts = [fault.act for fault in plan.faults if not set(fault.nodes) & set(spares)]
        assert acts.count(Act.CRASH) + min(1, acts.count(Act.KILL)) <= 1


def test_a_plan_is_the_sum_of_its_steps() -> None:
    plan = next(plan for plan in map(plan_of, range(300)) if plan.members and plan.operations)
    assert plan.with_steps(plan.steps) == plan
    assert plan.with_steps(plan.operations).steps == plan.operations


def test_every_part_is_in_some_plans_and_not_in_others() -> None:
    plans = [plan_of(seed) for seed in range(300)]
    requests = {one.request for plan in plans for one in plan.operations}
    with_parts = [
        {bool(plan.members) for plan in plans},
        {bool(plan.operations) for plan in plans},
        {plan.layout.spares > 0 for plan in plans},
        {plan.layout.folders > 1 for plan in plans},
    ]
    assert (requests, with_parts) == (set(Request), [{True, False}] * 4)


def test_one_voter_stays() -> None:
    left = {
        len(plan.layout.voter_ids) - sum(one.request is Request.REMOVE_VOTER for one in plan.operations)
        for plan in map(plan_of, range(300))
    }
    assert (min(left), 2 in left) == (1, True)


def test_nobody_can_lead_where_a_leader_of_two_voters_removed_itself_and_ended_before_the_other_knew() -> None:
    plan = split_plan(1)
    layout = replace(plan.layout, controllers=2)
    plan = replace(plan, layout=layout, core=(1, 2, *layout.voter_ids), faults=(), duration_ms=100, split=None)
    scenario = Scenario(plan)
    assert scenario.form() is None
    world = scenario.world
    leader = next(one for one, process in world.running() if process.parts.quorum.is_leader)
    other = next(one for one in layout.voter_ids if one != leader)

    world.network.cut([(leader, other)])
    spawn(scenario.administrator.carry_out(Operation(0, Request.REMOVE_VOTER, nodes=(leader,))))
    world.run_for(200)
    world.kill(leader)
    world.run_for(5000)
    assert not has_removed_its_leader(world)
    outcome = scenario.go_on(plan)

    assert (outcome.wrong, outcome.has_removed_its_leader) == (None, True)


def test_the_controller_and_the_partitions_leader_are_two_nodes_where_a_split_begins() -> None:
    scenario = Scenario(split_plan(0))
    assert scenario.form() is None
    processes = dict(scenario.world.running())
    controllers = [one for one, process in processes.items() if process.parts.quorum.is_leader]
    leaders = [
        one
        for one, process in processes.items()
        if process.parts.broker and any(partition.is_leader for partition in process.parts.broker.partitions)
    ]
    assert {CutOff.CONTROLLER: controllers, CutOff.LEADER: leaders} == {
        role: [scenario._node_of(role)] for role in CutOff
    }
    assert controllers != leaders


def test_a_split_lasts_until_the_majority_has_acknowledged_writes_of_every_producer() -> None:
    scenario = Scenario(split_plan(1), is_recorded=True)
    outcome = scenario.run()
    lines = [line.split(" ", 1) for line in outcome.lines]
    split_ms = next(float(at_ms) for at_ms, text in lines if "isolate" in text)
    healed_ms = next(float(at_ms) for at_ms, text in lines if "all are healed" in text)
    assert outcome.wrong is None
    assert healed_ms - split_ms > float(scenario.plan.layout.settings["controller.quorum.fetch.timeout.ms"]) / 2


def test_producers_write_to_topics_that_come_and_go() -> None:
    """In some seeds something was acknowledged of a topic that was deleted, or created again, since then."""
    gone = kept = 0
    for plan in [plan for plan in map(plan_of, range(60)) if plan.other_topics][:8]:
        scenario = Scenario(plan)
        assert scenario.run().wrong is None
        told, controller = scenario.ledger.acknowledged, scenario._active_controller()[1]
        there = scenario.other_topics.there(controller.parts.publisher.image).values()
        others = [place for place in told if " " in place[0]]
        kept += sum(place in there for place in others)
        gone += sum(place not in there for place in others)
    assert gone
    assert kept


def test_a_topic_with_acknowledged_values_goes_only_where_somebody_asked_for_that() -> None:
    ledger = Ledger()
    ledger.acknowledge(("other-0 an-id", 0), 0, b"v", 1)
    topics = OtherTopics(World(1), ledger, ())
    assert topics.lost((), ()) == "other-0 has acknowledged values and is gone, and nobody asked for that"
    assert topics.lost((), ["other-0"]) is None
    assert topics.lost([("other-0 an-id", 0)], ()) is None


def test_a_controller_that_knows_of_no_voters_yet_asks_for_none_in_the_core() -> None:
    """Seed 815: a majority of no voters was looked for."""
    plan = split_plan(1)
    scenario = Scenario(replace(plan, layout=replace(plan.layout, spares=1)))
    scenario.world.start(4)
    assert not scenario.world.nodes[4].process.parts.quorum.voters  # type: ignore[union-attr]
    assert missing_voter(scenario.world, [4]) is None


def history(seed: int) -> str:
    """All that happened in a scenario, as text."""
    outcome = Scenario(plan_of(seed), is_recorded=True).run()
    return "\n".join([*outcome.lines, f"{outcome.digest} {outcome.events} {outcome.acknowledged}"])


def test_the_same_seed_gives_the_same_history_in_any_process() -> None:
    code = "import runpy, sys\nprint(runpy.run_path(sys.argv[1])['history'](3), end='')"
    others = [
        subprocess.run(
            [sys.executable, "-c", code, __file__],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert others == [history(3)] * 2


def test_another_seed_gives_another_history() -> None:
    assert history(3) != history(4)
