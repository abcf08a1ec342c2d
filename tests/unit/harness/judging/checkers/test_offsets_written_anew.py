"""Where offsets may be written anew, the final log is what the final read returned, not what was read there before."""

from __future__ import annotations

from harness.history.operations import FaultAct
from harness.judging.checkers.inconsistent_offsets import inconsistent_offsets
from harness.judging.checkers.lost_before_kept import lost_before_kept
from harness.judging.checkers.lost_write import lost_write
from harness.judging.guarantees import FaultEffects, Guarantees, TopicSettings
from harness.workloads.synthetic import Script

POWER = FaultAct(kind="power", nodes=(1, 2, 3))
WITHOUT_POWER = Guarantees.of(
    topic=TopicSettings(replicas=3, min_insync=2), faults=FaultEffects(power_losses=3, moves_leader=True)
)


def all_nodes_lost_their_power() -> Script:
    """b and c were acknowledged and read; d and e are written in their places after the nodes are back."""
    script = Script()
    for offset, value in enumerate("abc"):
        script.send(value, offset)
    script.poll({0: "a", 1: "b", 2: "c"})
    script.fault(POWER)
    script.heal(POWER)
    script.send("d", 1)
    script.send("e", 2)
    return script


def test_what_is_read_in_the_end_is_not_lost_although_something_else_was_read_there_before() -> None:
    script = all_nodes_lost_their_power()
    script.final_read({0: "a", 1: "d", 2: "e"})

    found = lost_write(script.history(), WITHOUT_POWER)

    assert [anomaly.sentence.partition(",")[0] for anomaly in found.tolerated] == ["value b", "value c"]
    assert any("offset 1 holds d; b is nowhere" in line for line in found.tolerated[0].witness_lines)
    assert inconsistent_offsets(script.history(), WITHOUT_POWER).count == 2


def test_the_end_of_a_log_that_was_written_anew_is_no_hole_in_it() -> None:
    script = all_nodes_lost_their_power()
    script.final_read({0: "a", 1: "d", 2: "e"})

    assert lost_before_kept(script.history(), WITHOUT_POWER).is_valid


def test_a_record_before_one_that_was_kept_is_still_a_hole() -> None:
    script = all_nodes_lost_their_power()
    script.final_read({0: "a", 1: "d", 2: "c"})

    assert "value b" in lost_before_kept(script.history(), WITHOUT_POWER).anomalies[0].sentence
