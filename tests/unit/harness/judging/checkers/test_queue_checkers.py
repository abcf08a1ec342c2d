"""Each checker: a history that it must reject, one that it must accept, one of which nothing can be said."""

from __future__ import annotations

import msgspec
import pytest

from harness.history.history import History
from harness.history.operations import FaultAct
from harness.judging.checkers.acknowledged_offset import acknowledged_offset, offset_acknowledged_twice
from harness.judging.checkers.duplicate import duplicate
from harness.judging.checkers.inconsistent_offsets import inconsistent_offsets
from harness.judging.checkers.leader_epoch_order import leader_epoch_order
from harness.judging.checkers.lost_before_kept import lost_before_kept
from harness.judging.checkers.lost_write import lost_write, unseen
from harness.judging.checkers.no_recovery import no_recovery
from harness.judging.checkers.poll_order import nonmonotonic_poll, poll_skip, wrong_start
from harness.judging.checkers.record_integrity import aborted_read, record_integrity
from harness.judging.checkers.ruling import Checker
from harness.judging.checkers.send_order import nonmonotonic_send, realtime_order
from harness.judging.checkers.undelivered import undelivered
from harness.judging.checkers.vanished_read import vanished_read
from harness.judging.guarantees import ClientSettings, Guarantees
from harness.judging.verdicts import Validity
from harness.workloads.queue import CHECKERS, judge
from harness.workloads.synthetic import Script

KILL = FaultAct(kind="kill", nodes=(1,))
SAFE = Guarantees.of(ClientSettings(consumers="subscribe", commit="sync"))


def three_sent() -> Script:
    """a, b, c acknowledged at 0, 1, 2."""
    script = Script()
    for offset, value in enumerate("abc"):
        script.send(value, offset)
    return script


def a_gap() -> History:
    script = three_sent()
    script.final_read({0: "a", 2: "c"})
    return script.history()


def a_lost_tail() -> History:
    script = three_sent()
    script.final_read({0: "a", 1: "b"})
    return script.history()


def a_hole_before_what_the_same_leader_wrote() -> History:
    script = three_sent()
    script.fault(KILL)
    script.final_read({0: "a", 2: "c"})
    return script.history()


def a_read_that_vanished() -> History:
    script = Script()
    script.info(script.invoke("a"))
    script.poll({0: "a"})
    script.fault(KILL)
    script.final_read({})
    return script.history()


def two_values_at_an_offset() -> History:
    script = three_sent()
    script.poll({1: "b"})
    script.poll({1: "c"}, process="consumer 2")
    script.final_read({0: "a", 1: "b", 2: "c"})
    return script.history()


def a_wrong_acknowledgement() -> History:
    script = Script()
    script.send("a", 7)
    script.final_read({0: "a"}, end=8, reached=8)
    return script.history()


def an_offset_acknowledged_for_two_records() -> History:
    script = three_sent()
    script.send("d", 2)
    script.final_read({0: "a", 1: "b", 2: "c"})
    return script.history()


def a_value_twice() -> History:
    script = three_sent()
    script.final_read({0: "a", 1: "b", 2: "c", 3: "b"})
    return script.history()


def sends_that_changed_places() -> History:
    script = Script()
    first, second = script.invoke("a"), script.invoke("b")
    script.ok(second, 0)
    script.ok(first, 1)
    script.final_read({0: "b", 1: "a"})
    return script.history()


def a_send_before_one_already_acknowledged() -> History:
    script = Script()
    script.send("a", 1)
    script.send("b", 0, process="producer 2")
    script.final_read({0: "b", 1: "a"})
    return script.history()


def a_consumer_that_goes_back() -> History:
    script = three_sent()
    script.poll({0: "a", 1: "b"})
    script.poll({1: "b", 2: "c"})
    script.final_read({0: "a", 1: "b", 2: "c"})
    return script.history()


def a_consumer_that_skips() -> History:
    script = three_sent()
    script.poll({0: "a"})
    script.poll({2: "c"})
    script.final_read({0: "a", 1: "b", 2: "c"})
    return script.history()


def a_changed_key() -> History:
    script = three_sent()
    true = script.record("b", 1)
    changed = msgspec.structs.replace(true, key="other")
    script.polled((changed,))
    script.final_read({0: "a", 1: "b", 2: "c"})
    return script.history()


def a_refused_value_in_the_log() -> History:
    script = three_sent()
    script.fail(script.invoke("d"))
    script.final_read({0: "a", 1: "b", 2: "c", 3: "d"})
    return script.history()


def a_member_that_starts_behind_the_committed_offset() -> History:
    script = three_sent()
    script.subscribe()
    script.assigned(0)
    script.poll({0: "a"})
    script.committed(1)
    script.revoked(0)
    script.subscribe(process="consumer 2")
    script.assigned(0, process="consumer 2")
    script.poll({2: "c"}, process="consumer 2")
    script.final_read({0: "a", 1: "b", 2: "c"})
    return script.history()


def a_group_that_commits_past_a_record() -> History:
    script = three_sent()
    script.subscribe()
    script.assigned(0)
    script.poll({0: "a", 2: "c"})
    script.committed(3)
    script.final_read({0: "a", 1: "b", 2: "c"})
    return script.history()


def a_leader_epoch_that_falls() -> History:
    script = three_sent()
    script.polled((script.record("a", 0, 4), script.record("b", 1, 5), script.record("c", 2, 4)))
    script.final_read({0: "a", 1: "b", 2: "c"})
    return script.history()


def keep_polling(script: Script, *, excess_s: float = 1.0) -> None:
    """Polls in vain for so much longer than a consumer of a group may need to recover."""
    bound_s = SAFE.client.recovery_s
    for _ in range(10):
        script.poll({})
        script.wait((bound_s + excess_s) / 10)
    script.poll({})


def a_consumer_that_never_comes_back() -> History:
    script = three_sent()
    script.assign()
    script.poll({0: "a"})
    script.fault(KILL)
    script.heal(KILL)
    keep_polling(script)
    script.final_read({0: "a", 1: "b", 2: "c"})
    return script.history()


REJECTED = [
    (lost_write, a_gap),
    (unseen, a_lost_tail),
    (lost_before_kept, a_hole_before_what_the_same_leader_wrote),
    (vanished_read, a_read_that_vanished),
    (inconsistent_offsets, two_values_at_an_offset),
    (acknowledged_offset, a_wrong_acknowledgement),
    (offset_acknowledged_twice, an_offset_acknowledged_for_two_records),
    (duplicate, a_value_twice),
    (nonmonotonic_send, sends_that_changed_places),
    (realtime_order, a_send_before_one_already_acknowledged),
    (nonmonotonic_poll, a_consumer_that_goes_back),
    (poll_skip, a_consumer_that_skips),
    (wrong_start, a_member_that_starts_behind_the_committed_offset),
    (undelivered, a_group_that_commits_past_a_record),
    (leader_epoch_order, a_leader_epoch_that_falls),
    (record_integrity, a_changed_key),
    (aborted_read, a_refused_value_in_the_log),
    (no_recovery, a_consumer_that_never_comes_back),
]


@pytest.mark.parametrize(("checker", "history"), REJECTED, ids=lambda part: part.__name__)
def test_a_checker_rejects_its_anomaly(checker: Checker, history: object) -> None:
    verdict = checker(history(), SAFE)  # type: ignore[operator]

    assert verdict.validity is Validity.INVALID


@pytest.mark.parametrize(("checker", "history"), REJECTED, ids=lambda part: part.__name__)
def test_a_rejection_shows_a_witness_of_a_few_lines(checker: Checker, history: object) -> None:
    verdict = checker(history(), SAFE)  # type: ignore[operator]

    assert 1 <= len(verdict.anomalies[0].witness_lines) <= 10


def test_every_checker_of_the_queue_has_a_history_that_it_rejects() -> None:
    assert [checker for checker, _ in REJECTED] == list(CHECKERS)


def a_faithful_log() -> Script:
    """Read by a manual consumer and by a group, to its end."""
    script = three_sent()
    script.assign("consumer 1")
    script.poll({0: "a", 1: "b"})
    script.poll({2: "c"})
    script.subscribe(process="consumer 2")
    script.assigned(0, process="consumer 2")
    script.poll({0: "a", 1: "b", 2: "c"}, process="consumer 2")
    script.committed(3, process="consumer 2")
    script.final_read({0: "a", 1: "b", 2: "c"})
    return script


@pytest.mark.parametrize("checker", CHECKERS, ids=lambda checker: checker.__name__)
def test_a_checker_accepts_a_faithful_log(checker: Checker) -> None:
    verdict = checker(a_faithful_log().history(), SAFE)

    assert verdict.validity is Validity.VALID, verdict.reason


@pytest.mark.parametrize("checker", CHECKERS, ids=lambda checker: checker.__name__)
def test_a_verdict_says_on_what_it_rests(checker: Checker) -> None:
    assert checker(a_faithful_log().history(), SAFE).rests_on


def test_a_lost_write_names_value_and_offset() -> None:
    anomaly = lost_write(a_gap(), SAFE).anomalies[0]

    assert "value b, acknowledged at t-0 offset 1" in anomaly.sentence


@pytest.mark.parametrize("checker", [lost_write, unseen, vanished_read], ids=lambda checker: checker.__name__)
def test_without_a_whole_final_read_nothing_is_known_of_loss(checker: Checker) -> None:
    script = three_sent()
    script.poll({0: "a"})
    script.final_read({0: "a"}, end=3, reached=1)

    assert checker(script.history(), SAFE).validity is Validity.UNKNOWN


def test_a_torn_history_is_unknown_even_when_nothing_is_missing() -> None:
    script = three_sent()
    script.final_read({0: "a", 1: "b", 2: "c"})

    assert lost_write(script.history(is_complete=False), SAFE).validity is Validity.UNKNOWN


def test_a_seek_lets_a_consumer_read_again() -> None:
    script = three_sent()
    script.poll({0: "a", 1: "b"})
    script.assign()
    script.poll({0: "a"})

    assert nonmonotonic_poll(script.history(), SAFE).is_valid


def test_a_hole_in_the_offsets_is_no_skip_when_nobody_read_a_record_there() -> None:
    script = Script()
    script.send("a", 0)
    script.send("b", 5)
    script.poll({0: "a", 5: "b"})

    assert poll_skip(script.history(), SAFE).is_valid


def test_a_record_that_is_read_late_makes_an_earlier_hole_a_skip() -> None:
    script = three_sent()
    script.poll({0: "a", 2: "c"})
    script.poll({0: "a", 1: "b", 2: "c"}, process="consumer 2")

    assert poll_skip(script.history(), SAFE).anomalies[0].sentence.startswith("consumer 1 went from t-0 offset 0 to 2")


def test_a_duplicate_is_tolerated_and_reported_without_idempotence() -> None:
    verdict = duplicate(a_value_twice(), Guarantees.of(ClientSettings(is_idempotent=False)))

    assert (verdict.validity, len(verdict.tolerated)) == (Validity.VALID, 1)


def test_an_unanswered_send_may_be_in_the_log_or_not() -> None:
    script = three_sent()
    script.info(script.invoke("d"))
    script.info(script.invoke("e"))
    script.final_read({0: "a", 1: "b", 2: "c", 3: "d"})

    assert all(verdict.is_valid for verdict in judge(script.history(), Guarantees.of()))


def test_of_thousands_of_anomalies_a_few_are_told_and_all_are_counted() -> None:
    script = Script()
    for number in range(20_000):
        script.info(script.invoke(f"1.{number}"))
    script.polled(tuple(script.record(f"2.{number}", number) for number in range(20_000)))

    verdict = record_integrity(script.history(), SAFE)

    assert (verdict.count, len(verdict.anomalies)) == (20_000, 8)
