"""The history file: what goes in comes out; damage is noticed; a torn end is cut off."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from harness.history.operations import (
    BLOCK,
    Acknowledged,
    HistoryTrouble,
    HistoryWriter,
    OpType,
    Polled,
    Record,
    Send,
    read_history,
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
        Polled("t", 0, (Record(1, "x"),)),
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
