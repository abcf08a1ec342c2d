"""Commands that nobody reads, with no room for their output, interrupted, or called wrongly: one line, no traceback."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from command_process import ended, ended_by_signal, ended_unread

from harness.history.store import Run

TALKATIVE = {
    "harness": ["harness", "--help"],
    "harness list": ["harness", "list", "checks"],
    "harness judge": ["harness", "judge", "RUN"],
    "harness report": ["harness", "report", "RUN", "--no-allure"],
    "harness lockstep": ["harness", "lockstep", "--target", "reference", "--target", "reference", "--seconds", "0.1"],
    "harness model": ["harness", "model", "--seconds", "0.1"],
    "harness simulate": ["harness", "simulate", "--seeds", "1"],
    "nemesis": ["nemesis", "--list"],
    "bench": ["bench", "--help"],
    "bench.fuzz": ["bench.fuzz", "--codec-only", "--frames", "1000"],
    "reference_broker": ["reference_broker", "--help"],
    "reference_broker storage": ["reference_broker", "storage", "random-uuid"],
    "reference_broker dev": ["reference_broker", "dev", "--port", "0"],
    "tests.plants": ["tests.plants", "--list"],
}
WRONG = {
    "harness": ["harness", "nothing"],
    "harness list": ["harness", "list", "nothing"],
    "harness list of nothing": ["harness", "list"],
    "harness judge": ["harness", "judge", "nowhere"],
    "harness report": ["harness", "report", "nowhere"],
    "harness account": ["harness", "account", "nowhere"],
    "harness kafka": ["harness", "kafka", "9.9.9"],
    "harness image": ["harness", "image", "--frobnicate"],
    "harness record": ["harness", "record", "--target", "reference"],
    "harness neighbours": ["harness", "neighbours", "--target", "reference"],
    "harness lockstep": ["harness", "lockstep", "--target", "reference"],
    "harness lockstep without its file": [
        *("harness", "lockstep", "--target", "reference", "--target", "reference"),
        *("--known", "nowhere.toml"),
    ],
    "harness model": ["harness", "model", "--writer", "nobody"],
    "harness simulate": ["harness", "simulate", "--seeds", "5..1"],
    "nemesis": ["nemesis", "--target", "nothing"],
    "bench": ["bench", "--only", "nothing"],
    "bench.fuzz": ["bench.fuzz", "--frames", "many"],
    "reference_broker": ["reference_broker", "dev", "--port", "99999"],
    "tests.plants": ["tests.plants", "nothing"],
}
AT_WORK = {
    "harness lockstep": (
        ["harness", "lockstep", "--target", "reference", "--target", "reference", "--seconds", "60"],
        "lockstep  ",
    ),
    "harness model": (["harness", "model", "--seconds", "60"], "model  "),
    "harness simulate": (["harness", "simulate", "--seeds", "0..999999", "--jobs", "2"], "simulate  "),
    "bench.fuzz": (["bench.fuzz", "--codec-only", "--frames", "100000000"], "fuzz   seed"),
    "bench": (["bench", "--only", "checkers"], "cores"),
}


def named(cases: dict[str, list[str]]) -> list[object]:
    return [pytest.param(words, id=name) for name, words in cases.items()]


def with_run(words: list[str], run: Run) -> list[str]:
    return [str(run.path) if word == "RUN" else word for word in words]


@pytest.mark.parametrize("words", named(TALKATIVE))
def test_a_command_whose_reader_has_gone_says_nothing(words: list[str], stored_run: Run) -> None:
    found = ended_unread(with_run(words, stored_run))

    assert found.complaints == ()
    assert found.status == 128 + signal.SIGPIPE


@pytest.mark.parametrize("words", named(TALKATIVE))
def test_a_command_whose_output_has_no_room_says_so_in_one_line(words: list[str], stored_run: Run) -> None:
    found = ended(with_run(words, stored_run), out="/dev/full")

    (line,) = found.complaints
    assert "standard output: No space left on device; free some space there" in line
    assert found.status == 1


@pytest.mark.parametrize("words", named(WRONG))
def test_wrong_input_is_one_line_and_status_2(words: list[str], tmp_path: Path) -> None:
    found = ended(words, tmp_path)

    assert len(found.complaints) == 1
    assert found.status == 2


@pytest.mark.parametrize(
    ("words", "line"), [pytest.param(words, line, id=name) for name, (words, line) in AT_WORK.items()]
)
def test_ctrl_c_is_one_line_and_status_130(words: list[str], line: str, tmp_path: Path) -> None:
    found = ended_by_signal(words, lambda said: line in said, signal.SIGINT, tmp_path)

    assert [complaint.partition(": ")[2] for complaint in found.complaints] == ["interrupted"]
    assert found.status in (130, -signal.SIGINT)  # a shell says 130 of both; Python chooses by where it was


def test_a_developers_broker_that_is_interrupted_removes_its_folder(tmp_path: Path) -> None:
    words = ["reference_broker", "dev", "--port", "0"]
    os.environ["TMPDIR"], before = str(tmp_path), os.environ.get("TMPDIR")
    try:
        found = ended_by_signal(words, lambda said: "bootstrap.servers" in said, signal.SIGINT, tmp_path)
    finally:
        os.environ.pop("TMPDIR") if before is None else os.environ.update(TMPDIR=before)

    assert found.complaints == ()
    assert list(tmp_path.iterdir()) == []
