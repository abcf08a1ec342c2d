"""The course of a history: latencies, faults and the longest time without success, also of files that are torn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.history.history import History
from harness.history.operations import ADMIN, AdminCall, FaultAct, OpType
from harness.workloads.synthetic import Script
from reports.series import Band, Change, Gap, Series, longest_gap, series_of

Written = Callable[[History], Path]
KILL, PAUSE = FaultAct(kind="kill", nodes=(2,)), FaultAct(kind="pause", nodes=(1,))


@pytest.fixture
def script() -> Script:
    """Operations a millisecond apart: 0 and 1 a send, 2 and 3 a kill, 4 a send without an answer, 5 and 6 the heal, 7
    and 8 a poll."""
    made = Script()
    made.send("a", 0)
    made.fault(KILL)
    made.invoke("b")
    made.heal(KILL)
    made.poll({0: "a"})
    return made


def test_a_send_lasts_until_its_acknowledgement(written: Written, script: Script) -> None:
    assert series_of(written(script.history())).calls[0].latency_ms == 1.0


def test_a_send_without_an_answer_is_open_until_the_end(written: Written, script: Script) -> None:
    last = series_of(written(script.history())).calls[-1]

    assert (last.outcome, last.start_ms, last.stop_ms) == ("info", 4.0, 8.0)


def test_a_fault_lasts_until_it_is_healed(written: Written, script: Script) -> None:
    assert series_of(written(script.history())).bands == (Band("kill", "kill node 2", 2.0, 6.0),)


def test_a_fault_that_is_never_healed_lasts_until_the_end(written: Written, script: Script) -> None:
    script.fault(PAUSE)
    script.poll({0: "a"})

    assert series_of(written(script.history())).bands[-1] == Band("pause", "pause node 1", 9.0, 12.0)


def test_what_an_administrator_asks_lasts_until_it_is_answered(written: Written, script: Script) -> None:
    asked = AdminCall("DeleteTopics", {"topic": "t"})
    invoked = script.add(ADMIN, OpType.INVOKE, "delete_topics", value=asked)
    refused = AdminCall("DeleteTopics", {"topic": "t", "answer": "NOT_CONTROLLER"})
    script.add(ADMIN, OpType.FAIL, "delete_topics", value=refused, error="NOT_CONTROLLER", of=invoked)
    script.add(ADMIN, OpType.INVOKE, "delete_topics", value=asked)

    assert series_of(written(script.history())).changes == (
        Change("DeleteTopics: topic t → NOT_CONTROLLER", 9.0, 10.0, "fail"),
        Change("DeleteTopics: topic t", 11.0, 11.0, "info"),
    )


def test_a_history_with_a_torn_last_line_is_still_drawn(written: Written, script: Script) -> None:
    path = written(script.history())
    path.write_bytes(path.read_bytes()[:-40])

    assert len(series_of(path).calls) == 2


def test_a_file_that_is_no_history_has_no_course(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\x00\xff no history\n more\n")

    assert series_of(tmp_path / "x") == Series()


def test_a_missing_file_has_no_course(tmp_path: Path) -> None:
    assert series_of(tmp_path / "x") == Series()


def test_the_longest_gap_counts_the_time_before_the_first_and_after_the_last_success() -> None:
    assert longest_gap([40.0, 50.0], 0.0, 60.0) == Gap(0.0, 40.0)
    assert longest_gap([10.0, 20.0], 0.0, 60.0) == Gap(20.0, 60.0)


def test_there_is_no_gap_where_nothing_was_tried() -> None:
    assert Series().produce_gap() is None
    assert Series().consume_gap() is None


def test_a_gap_is_put_down_to_the_fault_during_it() -> None:
    series = Series(bands=(Band("pause", "pause node 1", 0, 100), Band("kill", "kill -9 node 2", 5_000, 6_000)))

    assert series.fault_of(Gap(5_100, 9_000)) == "kill -9 node 2"
    assert series.fault_of(Gap(2_000, 2_500)) == ""
