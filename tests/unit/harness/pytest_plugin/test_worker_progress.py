"""Progress of a run with several workers: their lines are shown together, and gone when they end."""

from __future__ import annotations

import threading
from pathlib import Path

from harness.pytest_plugin.worker_progress import WorkerLine, lines_of_workers, shown
from harness.runs.progress import Progress

PROGRESS = Progress(phase="kill", elapsed_s=14.2, sent=18_204, acknowledged=18_199, read=9_000, lag=0, faults=2)


def test_the_lines_of_all_workers_are_told_together(tmp_path: Path) -> None:
    WorkerLine(tmp_path, "gw1").say("starting kafka@4.3.1")
    WorkerLine(tmp_path, "gw0").show("records_survive[kill]", PROGRESS)

    assert lines_of_workers(tmp_path) == (
        "gw0: records_survive[kill]  kill  14 s  18,204 sent  18,199 acked  9,000 read  2 faults"
        " | gw1: starting kafka@4.3.1"
    )


def test_a_check_that_has_ended_is_told_no_more(tmp_path: Path) -> None:
    line = WorkerLine(tmp_path, "gw0")
    line.say("at work")

    line.clear()

    assert lines_of_workers(tmp_path) == ""


def test_the_controller_says_what_workers_do_while_they_do_it(tmp_path: Path) -> None:
    said, is_said = [], threading.Event()

    def say(text: str) -> None:
        said.append(text)
        is_said.set()

    with shown(tmp_path, say):
        WorkerLine(tmp_path, "gw0").say("at work")
        assert is_said.wait(60)

    assert said[0] == "gw0: at work"


def test_no_file_of_a_worker_that_died_is_left(tmp_path: Path) -> None:
    with shown(tmp_path, lambda text: None):
        WorkerLine(tmp_path, "gw0").say("at work")

    assert list(tmp_path.iterdir()) == []
