"""An administrator's requests in the history: before they are sent, and with what was answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.history.admin_calls import admin_call, recording
from harness.history.files import HistoryWriter, read_history
from harness.history.operations import ADMIN, AdminCall, Operation, OpType
from reference_broker.wire.errors import ErrorCode

ASKED = {"topic": "orders"}


def written(path: Path, *codes: int | Exception, also_good: tuple[int, ...] = ()) -> tuple[Operation, ...]:
    """The operations of one request that is answered with these codes, or ends with an exception."""
    with (
        HistoryWriter(path / "history.jsonl") as writer,
        recording(writer),
        admin_call("CreateTopics", ASKED) as answer,
    ):
        for code in codes:
            if isinstance(code, Exception):
                raise code
        answer.came([code for code in codes if isinstance(code, int)], also_good)
    return read_history(path / "history.jsonl").operations


def test_a_request_is_written_before_it_is_sent_and_when_it_is_answered(tmp_path: Path) -> None:
    begun, done = written(tmp_path, 0)

    assert (begun.process, begun.kind, begun.f, begun.value) == (
        ADMIN,
        OpType.INVOKE,
        "create_topics",
        AdminCall("CreateTopics", ASKED),
    )
    assert (done.kind, done.of, done.value) == (
        OpType.OK,
        begun.index,
        AdminCall("CreateTopics", {**ASKED, "answer": "NONE"}),
    )


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (ErrorCode.NOT_CONTROLLER, OpType.FAIL),
        (ErrorCode.INVALID_REPLICATION_FACTOR, OpType.FAIL),
        (ErrorCode.REQUEST_TIMED_OUT, OpType.INFO),
        (ErrorCode.TOPIC_ALREADY_EXISTS, OpType.OK),
    ],
)
def test_an_answer_says_whether_it_was_done(tmp_path: Path, code: ErrorCode, kind: OpType) -> None:
    done = written(tmp_path, ErrorCode.NONE, code, also_good=(ErrorCode.TOPIC_ALREADY_EXISTS,))[1]

    assert done.kind is kind
    assert done.error == (None if kind is OpType.OK else code.name)


def test_of_a_request_that_nobody_answers_nothing_is_known(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError):
        written(tmp_path, ConnectionError("gone"))

    done = read_history(tmp_path / "history.jsonl").operations[1]
    assert (done.kind, done.error, done.value) == (OpType.INFO, "gone", AdminCall("CreateTopics", ASKED))


def test_outside_a_run_nothing_is_written() -> None:
    with admin_call("CreateTopics", ASKED) as answer:
        answer.came([0])

    assert answer.kind is OpType.OK


def test_a_request_is_a_sentence() -> None:
    call = AdminCall("ElectLeaders", {"topic": "orders", "partition": "0", "answer": "ELECTION_NOT_NEEDED"})

    assert call.sentence == "ElectLeaders: topic orders, partition 0 → ELECTION_NOT_NEEDED"
