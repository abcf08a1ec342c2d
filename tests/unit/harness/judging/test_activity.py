"""A run that did too little proves nothing; one that did enough says what it did."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.history.operations import FaultAct, OpType, PartitionState, PartitionStates, Retries
from harness.judging.activity import ANYTHING, activity
from harness.judging.evidence.evidence import Evidence
from harness.judging.verdicts import Validity, Verdict
from harness.workloads.synthetic import Script

KILL = FaultAct(kind="kill", nodes=(2,))


def judged(script: Script, **needs: int) -> Verdict:
    return activity(Evidence.of(script.history()), replace(ANYTHING, **needs))


def a_run() -> Script:
    script = Script()
    script.send("a", 0)
    script.poll({0: "a"})
    return script


def test_a_run_with_an_acknowledgement_and_a_read_is_enough() -> None:
    assert judged(a_run()).rests_on == "1 acknowledged record of 1; 1 record read"


@pytest.mark.parametrize(
    ("needs", "reason"),
    [
        ({"acknowledged": 2}, "1 of 1 send acknowledged, and 2 are needed"),
        ({"reads": 2}, "1 record read, and 2 are needed"),
        ({"retries": 1}, "does not count its retries"),
        ({"leader_changes": 1}, "0 partitions got another leader"),
    ],
)
def test_too_little_is_unknown_and_says_what_is_lacking(needs: dict[str, int], reason: str) -> None:
    verdict = judged(a_run(), **needs)

    assert verdict.validity is Validity.UNKNOWN
    assert reason in verdict.reason


def test_an_unanswered_history_is_unknown() -> None:
    script = Script()
    script.info(script.invoke("a"))
    script.poll({0: "a"})

    assert judged(script).validity is Validity.UNKNOWN


def test_a_partition_that_acknowledged_nothing_proves_nothing() -> None:
    script = a_run()
    script.fail(script.invoke("b", partition=1), "NOT_ENOUGH_REPLICAS")

    assert judged(script).reason == "none of 1 send to t-1 was acknowledged"


def test_a_send_with_two_ends_proves_nothing() -> None:
    script = a_run()
    invoked = script.invoke("b")
    script.ok(invoked, 1)
    script.fail(invoked)

    assert "1 ends were told of sends that had ended before" in judged(script).reason


def test_a_fault_names_its_proof_and_the_sends_under_it() -> None:
    script = a_run()
    script.fault(KILL, "no process of node 2 runs")
    script.send("b", 1)
    script.heal(KILL)

    assert "kill node 2: no process of node 2 runs, 1 sends meanwhile" in judged(script).rests_on


def test_a_fault_without_a_proof_is_unknown() -> None:
    script = a_run()
    script.fault(KILL, "")
    script.send("b", 1)

    assert "kill node 2 has no proof that it took effect" in judged(script).reason


def test_a_fault_without_a_send_meanwhile_is_unknown() -> None:
    script = a_run()
    script.fault(KILL)
    script.heal(KILL)
    script.send("b", 1)

    assert "0 sends were under way during kill node 2" in judged(script).reason


def test_a_send_that_was_open_when_the_fault_came_was_under_way() -> None:
    script = a_run()
    invoked = script.invoke("b")
    script.fault(KILL)
    script.heal(KILL)
    script.ok(invoked, 1)
    script.send("c", 2)

    assert judged(script).is_valid


def test_a_fault_after_the_last_send_needs_no_traffic() -> None:
    script = a_run()
    script.fault(KILL)
    script.heal(KILL)

    assert judged(script).is_valid


def test_retries_are_counted_over_all_producers() -> None:
    script = a_run()
    for count in (2, 3):
        script.add("producer 1", OpType.OK, "retries", value=Retries(count))

    assert judged(script, retries=5).is_valid


def test_a_leader_that_changed_is_named() -> None:
    script = a_run()
    for leader, epoch in ((1, 4), (3, 5)):
        states = PartitionStates((PartitionState("t", 0, leader, epoch, (1, 2, 3), (1, 2, 3)),))
        script.add("run", OpType.OK, "partition_states", value=states)

    verdict = judged(script, leader_changes=1)
    assert verdict.is_valid
    assert "t-0 was led by 1, and then by 3 (epoch 4 → 5)" in verdict.rests_on


@pytest.mark.parametrize(("new_epoch", "is_enough"), [(4, False), (5, True), (6, False)])
def test_a_leader_that_leads_again_has_moved_if_records_are_of_the_epoch_in_between(
    new_epoch: int, is_enough: bool
) -> None:
    script = Script()
    script.send("a", 0)
    script.polled((script.record("a", 0, leader_epoch=4),))
    for epoch in (3, new_epoch):
        states = PartitionStates((PartitionState("t", 0, 1, epoch, (1, 2, 3), (1, 2, 3)),))
        script.add("run", OpType.OK, "partition_states", value=states)

    assert judged(script, leader_changes=1).is_valid is is_enough
