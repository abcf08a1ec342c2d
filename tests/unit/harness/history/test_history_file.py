"""The history file: what goes in comes out; damage is noticed; a torn end is cut off."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from crc32c import crc32c

from harness.history.files import BLOCK, HistoryTrouble, HistoryWriter, read_history, stream_history
from harness.history.operations import (
    Acknowledged,
    AdminCall,
    Assign,
    Assigned,
    Commit,
    FaultAct,
    FinalEnd,
    Lost,
    MicroOperation,
    OpType,
    PartitionRecords,
    PartitionState,
    PartitionStates,
    Polled,
    ProducerIdentity,
    Record,
    Retries,
    Revoked,
    Seek,
    Send,
    ShareAcknowledged,
    ShareAcquired,
    ShareDelivery,
    Subscribe,
    Transaction,
)


def written(path: Path, count: int, *, closes: bool = True) -> Path:
    writer = HistoryWriter(path)
    for number in range(count):
        writer.append("producer 1", OpType.INVOKE, "send", Send("t", 0, f"1.{number}", "키", (("h", "v"),), 5, 6))
    if closes:
        writer.close()
    return path


def test_every_kind_of_value_comes_back_equal(tmp_path: Path) -> None:
    values = [
        Send("t", 0, "1.1", None, (("a", "b"),), 3, 4),
        Acknowledged(0, 9),
        Polled((PartitionRecords("t", 0, (Record(1, "x", "k", (("a", "b"),), 3, 4, 5),)),)),
        Polled(),
        Assign((("t", 0, -2),)),
        Seek("t", 0, 7),
        Subscribe("g", ("t",)),
        Assigned("g", (("t", 0),), 3, "m"),
        Revoked("g", (("t", 0),)),
        Lost("g", (("t", 0),)),
        Commit("g", (("t", 0, 8),)),
        FinalEnd("t", 0, 0, 9, 9),
        ProducerIdentity(17, 2, "tx"),
        Retries(4),
        PartitionStates((PartitionState("t", 0, 1, 5, (1, 2), (1,)),)),
        AdminCall("CreateTopics", {"topic": "t"}),
        Transaction(
            "tx", (MicroOperation("send", Send("t", 0, "1.2")), MicroOperation("commit", None)), "abort", 17, 2
        ),
        ShareAcquired("s", "m", "t", 0, (ShareDelivery(Record(1, "x"), 2, 99),)),
        ShareAcknowledged("s", "m", "t", 0, ((1, "release"),)),
        FaultAct(kind="partition", nodes=(1,), links=(("node 1", "node 2"),), parameters={"port": "9093"}, proof="p"),
        "final read",
        None,
    ]
    with HistoryWriter(tmp_path / "h") as writer:
        for value in values:
            writer.append("p", OpType.OK, "f", value)

    assert [operation.value for operation in read_history(tmp_path / "h")] == values


def test_a_closed_history_is_complete(tmp_path: Path) -> None:
    assert read_history(written(tmp_path / "h", BLOCK + 7)).is_complete


def test_a_history_whose_writer_died_is_read_up_to_its_last_whole_block(tmp_path: Path) -> None:
    history = read_history(written(tmp_path / "h", BLOCK + 7, closes=False))

    assert (len(history), history.is_complete) == (BLOCK, False)


def test_a_torn_last_line_is_cut_off(tmp_path: Path) -> None:
    path = written(tmp_path / "h", BLOCK + 7)
    path.write_bytes(path.read_bytes()[:-200])

    history = read_history(path)

    assert (len(history), history.is_complete) == (BLOCK, False)


def test_a_changed_byte_is_noticed_and_its_lines_are_named(tmp_path: Path) -> None:
    path = written(tmp_path / "h", 10)
    path.write_bytes(path.read_bytes().replace(b'"1.5"', b'"1.7"'))

    with pytest.raises(HistoryTrouble, match="lines 2 to 12"):
        read_history(path)


def test_a_missing_file_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(HistoryTrouble, match="give the folder of a stored run"):
        read_history(tmp_path / "none")


def test_threads_may_append_at_once(tmp_path: Path) -> None:
    with HistoryWriter(tmp_path / "h") as writer:
        threads = [
            threading.Thread(target=lambda: [writer.append("p", OpType.INFO, "f") for _ in range(700)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert [operation.index for operation in read_history(tmp_path / "h")] == list(range(2_800))


def test_a_streamed_history_gives_the_same_operations(tmp_path: Path) -> None:
    path = written(tmp_path / "h", 2 * BLOCK + 7)

    assert list(stream_history(path)) == list(read_history(path))


def test_a_streamed_history_gives_single_operations(tmp_path: Path) -> None:
    history = stream_history(written(tmp_path / "h", 2 * BLOCK + 7))

    assert [history.operation(index).index for index in (0, BLOCK, 2 * BLOCK + 6)] == [0, BLOCK, 2 * BLOCK + 6]


def test_a_streamed_history_knows_after_a_pass_whether_it_is_complete(tmp_path: Path) -> None:
    whole, torn = (stream_history(written(tmp_path / name, 7, closes=name == "whole")) for name in ("whole", "torn"))
    for history in (whole, torn):
        assert len(list(history)) == (7 if history is whole else 0)

    assert (whole.is_complete, torn.is_complete) == (True, False)


def test_a_file_of_an_older_format_is_refused_by_a_line_that_names_both(tmp_path: Path) -> None:
    path = written(tmp_path / "h", 7)
    path.write_bytes(path.read_bytes().replace(b'{"history":2,', b'{"history":1,'))

    with pytest.raises(HistoryTrouble, match="a history of format 1, and this version reads format 2"):
        read_history(path)


def test_a_file_that_is_no_history_is_refused(tmp_path: Path) -> None:
    (tmp_path / "h").write_text("hello\n")

    with pytest.raises(HistoryTrouble, match="not a history written by this project"):
        stream_history(tmp_path / "h")


@pytest.mark.parametrize(
    "head",
    [
        b'{"history":2,"started_at_ms":null}',
        b'{"history":2,"started_at_ms":"noon"}',
        b'{"history":true,"started_at_ms":0}',
        b'{"his\xf2ory":2}',
        b"[" * 100_000,
    ],
    ids=["no time", "no number", "no version", "no text", "deep"],
)
def test_a_damaged_first_line_is_refused(tmp_path: Path, head: bytes) -> None:
    path = written(tmp_path / "h", 3)
    path.write_bytes(head + path.read_bytes()[path.read_bytes().index(b"\n") :])

    with pytest.raises(HistoryTrouble, match="line 1: not a history"):
        read_history(path)


def test_operations_that_are_not_numbered_one_after_another_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "h", 3)
    line = next(line for line in path.read_bytes().splitlines(keepends=True) if b'"index":1,' in line)
    lines = [line, line]
    checksum = f"{crc32c(b''.join(lines)):08x}".encode()
    head = path.read_bytes().splitlines(keepends=True)[0]
    path.write_bytes(head + b"".join(lines) + b'{"block":2,"crc32c":"' + checksum + b'"}\n{"end":2}\n')

    with pytest.raises(HistoryTrouble, match="operation 1 stands where 0 should be"):
        read_history(path)
