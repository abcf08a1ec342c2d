"""What each fault cost: records that were acknowledged and are gone, beside the fault that they were nearest to."""

from __future__ import annotations

import pytest

from harness.history.operations import FaultAct
from harness.judging.availability import NO_FAULT
from harness.judging.evidence.evidence import Evidence
from harness.judging.guarantees import Guarantees
from harness.judging.losses import FaultLosses, losses
from harness.judging.measures import loss_sentences, measures
from harness.workloads.synthetic import Script

KILL, PAUSE = FaultAct(kind="kill", nodes=(2,)), FaultAct(kind="pause", nodes=(1,))


def lossy() -> Script:
    """Operations a millisecond apart: a kill takes b and c, acknowledged 2 ms apart; a pause takes nothing."""
    script = Script()
    script.send("a", 0)
    script.send("b", 1)
    script.send("c", 2)
    script.fault(KILL)
    script.heal(KILL)
    script.wait(10)
    script.fault(PAUSE)
    script.heal(PAUSE)
    script.send("d", 1)
    script.final_read({0: "a", 1: "d"})
    return script


def test_losses_count_for_the_nearest_fault() -> None:
    assert losses(Evidence.of(lossy().history())) == (
        FaultLosses(fault="kill node 2", lost=2, over_ms=2.0, before_ms=3.0),
        FaultLosses(fault="pause node 1", lost=0),
    )


def test_what_is_acknowledged_after_the_heal_is_told_as_that() -> None:
    script = Script()
    script.fault(KILL)
    script.heal(KILL)
    script.send("a", 0)
    script.final_read({})

    assert losses(Evidence.of(script.history())) == (FaultLosses(fault="kill node 2", lost=1, after_ms=2.0),)


def test_a_loss_without_a_fault_is_told_as_that() -> None:
    script = Script()
    script.send("a", 0)
    script.final_read({})

    assert losses(Evidence.of(script.history())) == (FaultLosses(fault=NO_FAULT, lost=1),)


def test_nothing_is_known_where_the_final_read_did_not_reach_the_end() -> None:
    script = Script()
    script.send("a", 0)
    script.final_read({}, end=1, reached=0)

    assert losses(Evidence.of(script.history())) is None


def test_the_measures_of_a_run_hold_a_sentence_for_each_fault() -> None:
    found = measures(Evidence.of(lossy().history()), Guarantees.of())

    assert loss_sentences(found) == [
        "kill node 2: 2 acknowledged records lost, acknowledged within 2 ms, from 3 ms before it",
        "pause node 1: 0 acknowledged records lost",
    ]
    assert len(loss_sentences(found, only_lost=True)) == 1


@pytest.mark.parametrize("measured", [{}, {"losses": 3}, {"losses": ["x"]}])
def test_measures_of_another_version_tell_nothing(measured: dict[str, object]) -> None:
    assert loss_sentences(measured) == []
