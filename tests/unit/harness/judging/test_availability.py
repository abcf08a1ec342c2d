"""The longest time without a success, for each fault and role; and what faults could do."""

from __future__ import annotations

from harness.history.operations import FaultAct, OpType, PartitionState, PartitionStates
from harness.judging.availability import Gap, availability
from harness.judging.evidence.evidence import Evidence
from harness.judging.guarantees import ClientSettings, FaultEffects, Guarantees, TopicSettings
from harness.judging.measures import measures
from harness.judging.periods import effects_of, fault_periods, rules_of
from harness.workloads.synthetic import Script

KILL = FaultAct(kind="kill", nodes=(2,))
PAUSE = FaultAct(kind="pause", nodes=(1,))
DARK = FaultAct(kind="power", nodes=(1, 2))


def outage() -> Script:
    """Sends all the time; half a second without a success in peace, and three seconds after a kill."""
    script = Script()
    script.send("a", 0)
    script.wait(0.5)
    script.send("b", 1)
    script.fault(KILL)
    lost = script.invoke("c")
    script.wait(2)
    script.heal(KILL)
    script.wait(1)
    script.info(lost)
    script.send("d", 2)
    script.send("e", 3)
    return script


def gaps(script: Script) -> dict[tuple[str, str], Gap]:
    return {(gap.role, gap.fault): gap for gap in availability(script.history())}


def test_a_gap_lasts_from_the_last_success_to_the_next_one_though_that_is_after_the_heal() -> None:
    assert 3.0 <= gaps(outage())["producers", "kill node 2"].length_s < 3.05


def test_the_time_without_a_fault_has_a_gap_of_its_own() -> None:
    assert 0.5 <= gaps(outage())["producers", "no fault"].length_s < 0.52


def test_a_gap_at_the_end_lasts_until_the_last_send() -> None:
    script = Script()
    script.send("a", 0)
    script.fault(KILL)
    script.wait(5)
    script.invoke("b")

    assert gaps(script)["producers", "kill node 2"].length_s > 5


def test_consumers_make_progress_when_a_poll_returns_records() -> None:
    script = Script()
    script.send("a", 0)
    script.poll({0: "a"})
    script.fault(PAUSE)
    script.wait(1)
    script.poll({})
    script.wait(1)
    script.send("b", 1)
    script.poll({1: "b"})
    script.heal(PAUSE)
    script.send("c", 2)

    assert gaps(script)["consumers", "pause node 1"].length_s > 2


def test_a_fault_after_the_last_send_has_no_gap() -> None:
    script = outage()
    script.wait(5)
    script.fault(PAUSE)

    assert ("producers", "pause node 1") not in gaps(script)


def test_faults_that_overlap_are_each_healed_by_their_own_heal() -> None:
    script = Script()
    script.fault(KILL)
    script.fault(PAUSE)
    script.heal(KILL)
    script.heal(PAUSE)

    assert [(period.begin, period.end) for period in fault_periods(script.history())] == [(0, 5), (2, 7)]


def test_power_counts_for_the_nodes_that_were_dark_at_once() -> None:
    script = Script()
    script.fault(DARK)
    script.fault(FaultAct(kind="power", nodes=(3,)))

    assert effects_of(Evidence.of(script.history())).power_losses == 3


def test_faults_may_move_the_leader_unless_the_cluster_says_that_it_stayed() -> None:
    script = outage()
    assert effects_of(Evidence.of(script.history())).moves_leader

    for _ in range(2):
        states = PartitionStates((PartitionState("t", 0, 1, 4, (1,), (1,)),))
        script.add("run", OpType.OK, "partition_states", value=states)
    assert effects_of(Evidence.of(script.history())) == FaultEffects()


def test_the_worst_lag_and_the_unseen_records_are_measured() -> None:
    script = Script()
    script.assign()
    script.send("a", 0)
    script.poll({0: "a"})
    script.send("b", 1)
    script.wait(2)
    script.poll({1: "b"})

    found = measures(Evidence.of(script.history()), Guarantees.of())
    assert 2 < found["worst_lag"]["lag_s"] < 2.1
    assert [count for _, count in found["unseen"]] == [1, 0, 0]


def test_an_unclean_election_by_an_operator_counts_as_one_that_is_allowed() -> None:
    script = Script()
    act = FaultAct(kind="leadership", parameters={"change": "unclean"})
    script.fault(act)
    script.heal(act)
    assert rules_of(script.history(), ClientSettings(), TopicSettings(replicas=3)).topic.is_unclean
