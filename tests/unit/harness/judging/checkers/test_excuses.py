"""What checkers once let pass: each history holds a broken promise that an earlier judge excused."""

from __future__ import annotations

import pytest

from harness.history.files import HistoryTrouble
from harness.history.operations import EARLIEST, Acknowledged, AdminCall, FaultAct, Operation, OpType
from harness.judging.checkers.acknowledged_offset import acknowledged_offset
from harness.judging.checkers.duplicate import duplicate
from harness.judging.checkers.lost_before_kept import lost_before_kept
from harness.judging.checkers.lost_write import lost_write, unseen
from harness.judging.checkers.poll_order import nonmonotonic_poll, poll_skip
from harness.judging.checkers.record_integrity import record_integrity
from harness.judging.checkers.send_order import nonmonotonic_send, realtime_order
from harness.judging.checkers.vanished_read import vanished_read
from harness.judging.guarantees import ClientSettings, FaultEffects, Guarantees, TopicSettings
from harness.judging.verdicts import Validity
from harness.workloads.synthetic import Script

SAFE = Guarantees.of()
KILL = FaultAct(kind="kill", nodes=(1,))
UNSAFE_SENDS = Guarantees.of(ClientSettings(is_idempotent=False))
SHORT_RETENTION = Guarantees.of(topic=TopicSettings(retention_ms=1_000))


def three_sent() -> Script:
    script = Script()
    for offset, value in enumerate("abc"):
        script.send(value, offset)
    return script


def a_log_whose_start_moved() -> Script:
    script = three_sent()
    script.final_read({2: "c"}, start=2)
    return script


def test_a_record_below_the_log_start_is_lost_when_nothing_may_delete_it() -> None:
    assert lost_write(a_log_whose_start_moved().history(), SAFE).count == 2


def test_a_record_below_the_log_start_is_not_lost_where_retention_may_delete_it() -> None:
    assert lost_write(a_log_whose_start_moved().history(), SHORT_RETENTION).is_valid


def test_retention_excuses_no_gap_above_the_log_start() -> None:
    script = three_sent()
    script.final_read({0: "a", 2: "c"})

    assert lost_write(script.history(), SHORT_RETENTION).count == 1


def test_records_that_an_administrator_asked_to_delete_are_not_lost() -> None:
    script = three_sent()
    asked = AdminCall("DeleteRecords", {"topic": "t", "partition": "0", "offset": "2"})
    script.add("admin", OpType.INVOKE, "delete_records", value=asked)
    script.final_read({2: "c"}, start=2)

    assert lost_write(script.history(), SAFE).is_valid


def test_a_deletion_of_records_excuses_none_above_it() -> None:
    script = three_sent()
    asked = AdminCall("DeleteRecords", {"topic": "t", "partition": "0", "offset": "1"})
    script.add("admin", OpType.INVOKE, "delete_records", value=asked)
    script.final_read({2: "c"}, start=2)

    assert lost_write(script.history(), SAFE).anomalies[0].sentence.startswith("value b,")


def test_a_read_record_below_the_log_start_has_vanished_when_nothing_may_delete_it() -> None:
    script = three_sent()
    script.poll({0: "a", 1: "b"})
    script.final_read({2: "c"}, start=2)

    assert vanished_read(script.history(), SAFE).count == 2


@pytest.mark.parametrize("replicas", [1, 3])
def test_one_replica_in_sync_keeps_what_it_acknowledged_while_no_power_is_lost(replicas: int) -> None:
    topic = TopicSettings(replicas=replicas, min_insync=1)
    rules = Guarantees.of(topic=topic, faults=FaultEffects(moves_leader=replicas > 1))
    script = three_sent()
    script.final_read({0: "a", 1: "b"})

    assert unseen(script.history(), rules).validity is Validity.INVALID


def test_real_time_order_is_judged_without_idempotence() -> None:
    script = Script()
    script.send("a", 1)
    script.send("b", 0, process="producer 2")

    assert realtime_order(script.history(), UNSAFE_SENDS).validity is Validity.INVALID


def test_an_unanswered_send_that_was_read_counts_in_real_time_order() -> None:
    script = Script()
    script.send("a", 1)
    script.info(script.invoke("b", process="producer 2"))
    script.poll({0: "b", 1: "a"})

    sentence = realtime_order(script.history(), SAFE).anomalies[0].sentence
    assert sentence == "value a was acknowledged before value b was sent, but in t-0 they stand at offsets 1 and 0"


def test_an_order_that_rests_on_a_wrong_acknowledgement_says_so() -> None:
    script = Script()
    script.send("a", 900)
    script.send("b", 1, process="producer 2")
    script.poll({0: "a", 1: "b"})

    sentence = realtime_order(script.history(), SAFE).anomalies[0].sentence
    assert sentence.endswith("offsets 900 and 1, as the acknowledgement says; the record was read at t-0 offset 0")


def test_what_was_read_before_a_send_began_stands_before_it() -> None:
    script = Script()
    script.info(script.invoke("a"))
    script.poll({5: "a"})
    script.send("b", 3, process="producer 2")

    assert realtime_order(script.history(), SAFE).anomalies[0].sentence.startswith("value a was read before value b")


def test_a_lost_record_stands_before_none_where_it_may_be_lost() -> None:
    rules = Guarantees.of(
        ClientSettings(acks="1", is_idempotent=False),
        TopicSettings(replicas=3),
        FaultEffects(moves_leader=True),
    )
    script = Script()
    script.send("a", 5)
    script.send("b", 3, process="producer 2")
    script.final_read({3: "b"})

    assert realtime_order(script.history(), rules).is_valid


LOST_WITH_ITS_LEADER = Guarantees.of(
    ClientSettings(acks="1", is_idempotent=False), TopicSettings(replicas=3), FaultEffects(moves_leader=True)
)


def test_a_lost_leader_takes_no_record_with_it_before_one_that_is_kept() -> None:
    script = three_sent()
    script.fault(KILL)
    script.final_read({0: "a", 2: "c"})

    verdict = lost_before_kept(script.history(), LOST_WITH_ITS_LEADER)

    assert "value c, which the same leader acknowledged at 2, is" in verdict.anomalies[0].sentence
    assert lost_write(script.history(), LOST_WITH_ITS_LEADER).is_valid


def test_a_lost_leader_takes_the_end_of_its_log_with_it() -> None:
    script = three_sent()
    script.fault(KILL)
    script.send("d", 1)
    script.final_read({0: "a", 1: "d"})

    assert lost_before_kept(script.history(), LOST_WITH_ITS_LEADER).is_valid


def test_what_another_leader_wrote_behind_a_lost_record_shows_nothing() -> None:
    script = three_sent()
    script.fault(KILL)
    script.send("d", 2)
    script.send("e", 3)
    script.final_read({0: "a", 1: "b", 2: "d", 3: "e"})

    assert lost_before_kept(script.history(), LOST_WITH_ITS_LEADER).is_valid


def test_an_acknowledgement_without_an_offset_is_wrong() -> None:
    script = Script()
    script.send("a", -1)
    script.final_read({0: "a"})

    assert acknowledged_offset(script.history(), SAFE).count == 1


def test_a_fault_excuses_no_acknowledgement_without_an_offset() -> None:
    script = Script()
    first = script.invoke("a")
    script.fault(KILL)
    script.heal(KILL)
    script.ok(first, -1)
    script.final_read({0: "a"})

    assert acknowledged_offset(script.history(), SAFE).count == 1


IMPLICIT = Guarantees.of(ClientSettings(acknowledges_by_later=True))


def acknowledged_by_a_later_batch(*, later_at: int = 1, is_faulty: bool = True, process: str = "producer 1") -> Script:
    """The leader said REQUEST_TIMED_OUT to a, which it had written, and NONE to b."""
    script = Script()
    first = script.invoke("a")
    if is_faulty:
        script.fault(KILL)
        script.heal(KILL)
    second = script.invoke("b", process=process)
    script.ok(first, -1)
    script.ok(second, later_at)
    script.final_read({0: "a", 1: "b"})
    return script


def test_librdkafka_may_take_a_later_acknowledgement_for_an_earlier_one() -> None:
    assert acknowledged_offset(acknowledged_by_a_later_batch().history(), IMPLICIT).is_valid


@pytest.mark.parametrize(
    "script",
    [
        acknowledged_by_a_later_batch(later_at=-1),
        acknowledged_by_a_later_batch(is_faulty=False),
        acknowledged_by_a_later_batch(process="producer 2"),
    ],
    ids=["the later one has none either", "without a fault", "of another producer"],
)
def test_an_acknowledgement_without_an_offset_is_not_excused(script: Script) -> None:
    assert acknowledged_offset(script.history(), IMPLICIT).validity is Validity.INVALID


def test_other_libraries_tell_the_offset_of_each_record() -> None:
    assert acknowledged_offset(acknowledged_by_a_later_batch().history(), SAFE).count == 1


def test_without_idempotence_a_later_acknowledgement_proves_nothing() -> None:
    rules = Guarantees.of(ClientSettings(is_idempotent=False, acknowledges_by_later=True))

    assert acknowledged_offset(acknowledged_by_a_later_batch().history(), rules).count == 1


def test_without_acks_an_acknowledgement_has_no_offset() -> None:
    script = Script()
    script.send("a", -1)
    script.final_read({0: "a"})

    rules = Guarantees.of(ClientSettings(acks="0", is_idempotent=False))
    assert acknowledged_offset(script.history(), rules).is_valid


def test_an_unanswered_send_that_was_read_counts_in_the_order_of_its_producer_id() -> None:
    script = Script()
    script.identity(7)
    first, second = script.invoke("a"), script.invoke("b")
    script.ok(second, 0)
    script.info(first)
    script.poll({0: "b", 1: "a"})

    assert nonmonotonic_send(script.history(), SAFE).validity is Validity.INVALID


def test_a_new_producer_id_lets_an_unanswered_send_arrive_late() -> None:
    script = Script()
    script.identity(7)
    first = script.invoke("a")
    script.info(first)
    script.identity(8)
    script.send("b", 0)
    script.poll({0: "b", 1: "a"})

    assert nonmonotonic_send(script.history(), SAFE).is_valid


def test_a_record_that_vanishes_and_comes_back_has_vanished() -> None:
    script = three_sent()
    script.poll({0: "a", 1: "b", 2: "c"}, process="consumer 1")
    script.poll({0: "a"}, process="consumer 2")
    script.poll({2: "c"}, process="consumer 2")
    script.final_read({0: "a", 1: "b", 2: "c"})

    assert (
        "was not there for consumer 2 later, and came back"
        in vanished_read(script.history(), SAFE).anomalies[0].sentence
    )


def test_a_record_that_is_read_only_once_by_the_final_read_has_not_vanished() -> None:
    script = three_sent()
    script.poll({0: "a"}, process="consumer 2")
    script.poll({2: "c"}, process="consumer 2")
    script.final_read({0: "a", 1: "b", 2: "c"})

    assert vanished_read(script.history(), SAFE).is_valid


def test_a_reader_from_the_start_may_not_begin_behind_a_record() -> None:
    script = three_sent()
    script.assign(offset=EARLIEST)
    script.poll({1: "b", 2: "c"})
    script.final_read({0: "a", 1: "b", 2: "c"})

    assert "passed over 1 record" in poll_skip(script.history(), SAFE).anomalies[0].sentence


def test_after_a_seek_the_first_record_is_not_before_it() -> None:
    script = three_sent()
    script.assign(offset=2)
    script.poll({1: "b", 2: "c"})

    assert "was to read t-0 from offset 2" in nonmonotonic_poll(script.history(), SAFE).anomalies[0].sentence


def a_record_written_twice(*, new_epoch: int, is_prompt: bool = True, lag_s: float = 0.0) -> Script:
    script = Script()
    script.identity(7)
    first = script.invoke("a")
    script.wait(5)
    if lag_s == 0:
        script.identity(7, new_epoch, is_prompt=is_prompt)
    script.ok(first, 3)
    script.wait(lag_s)
    if lag_s > 0:
        script.identity(7, new_epoch, is_prompt=is_prompt)
    script.poll({0: "a", 3: "a"})
    return script


def test_a_duplicate_of_one_producer_id_is_the_broker_s() -> None:
    script = Script()
    script.identity(7)
    script.send("a", 3)
    script.poll({0: "a", 3: "a"})

    assert duplicate(script.history(), SAFE).validity is Validity.INVALID


def test_a_duplicate_of_a_producer_that_took_a_new_epoch_meanwhile_is_its_own() -> None:
    verdict = duplicate(a_record_written_twice(new_epoch=1).history(), SAFE)

    assert (verdict.validity, len(verdict.tolerated)) == (Validity.VALID, 1)


def test_a_new_epoch_after_the_acknowledgement_excuses_no_duplicate() -> None:
    assert duplicate(a_record_written_twice(new_epoch=1, lag_s=0.5).history(), SAFE).validity is Validity.INVALID


def test_a_library_that_tells_late_of_a_new_epoch_is_believed_for_a_second() -> None:
    late = a_record_written_twice(new_epoch=1, lag_s=0.5, is_prompt=False)
    too_late = a_record_written_twice(new_epoch=1, lag_s=1.5, is_prompt=False)

    assert duplicate(late.history(), SAFE).is_valid
    assert duplicate(too_late.history(), SAFE).validity is Validity.INVALID


@pytest.mark.parametrize("checker", [nonmonotonic_send, realtime_order, poll_skip, nonmonotonic_poll])
def test_what_compared_nothing_proves_nothing(checker: object) -> None:
    script = Script()
    script.info(script.invoke("a"))

    assert checker(script.history(), SAFE).validity is Validity.UNKNOWN  # type: ignore[operator]


def test_the_operations_of_a_script_are_numbered() -> None:
    operations: list[Operation] = three_sent().operations

    assert [operation.index for operation in operations] == list(range(6))


def test_a_record_without_an_answer_that_stands_in_another_partition_is_misplaced() -> None:
    script = three_sent()
    script.info(script.invoke("d", partition=0))
    script.poll({0: "d"}, partition=1)

    assert "partition 0 came back as 1" in record_integrity(script.history(), SAFE).anomalies[0].sentence


def test_an_acknowledgement_in_another_partition_than_the_records_own_excuses_nothing() -> None:
    script = Script()
    invoked = script.invoke("a", partition=0)
    script.add("producer 1", OpType.OK, "send", value=Acknowledged(1, 0), of=invoked)
    script.poll({0: "a"}, partition=1)

    assert record_integrity(script.history(), SAFE).validity is Validity.INVALID


def test_a_record_whose_partition_the_library_chose_is_nowhere_misplaced() -> None:
    script = Script()
    invoked = script.invoke("a", partition=-1)
    script.add("producer 1", OpType.OK, "send", value=Acknowledged(1, 0), of=invoked)
    script.poll({0: "a"}, partition=1)

    assert record_integrity(script.history(), SAFE).is_valid


def test_an_offset_that_none_can_be_is_a_trouble_of_the_history() -> None:
    script = Script()
    script.send("a", 1 << 70)

    with pytest.raises(HistoryTrouble, match="a number that no offset or time can be"):
        lost_write(script.history(), SAFE)
