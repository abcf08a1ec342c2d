"""Processes that a warm one forks are like any other: output, exit status, signals, and an end with their owner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.hosts.host import ProcessState
from harness.hosts.plain import PlainHost
from tests.warm_process import Forked, forking, warm_process

TIMEOUT_S = 60.0
DEV = ("reference_broker", "dev", "--port", "0")


@pytest.fixture(scope="module")
def warm() -> Iterator[str]:
    with warm_process() as place:
        yield place


def forked(warm: str, folder: Path, *words: str) -> Forked:
    command = [sys.executable, "-m", *words]
    with (folder / "said.txt").open("wb") as output:
        return Forked(warm, command, cwd=folder, env=os.environ, output=output.fileno())


def test_what_it_says_is_in_its_output(warm: str, tmp_path: Path) -> None:
    forked(warm, tmp_path, "reference_broker", "storage", "random-uuid").wait(TIMEOUT_S)

    assert len((tmp_path / "said.txt").read_text(encoding="utf-8").strip()) == 22


def test_its_exit_status_is_the_commands(warm: str, tmp_path: Path) -> None:
    assert forked(warm, tmp_path, "reference_broker", "nonsense").wait(TIMEOUT_S) == 2


def test_one_that_runs_has_no_exit_status(warm: str, tmp_path: Path) -> None:
    process = forked(warm, tmp_path, *DEV)
    status = process.poll()
    process.kill()

    assert status is None


def test_one_that_takes_too_long_is_told_of_as_subprocess_does(warm: str, tmp_path: Path) -> None:
    process = forked(warm, tmp_path, *DEV)
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
    finally:
        process.kill()


def test_a_killed_one_ends_by_its_signal(warm: str, tmp_path: Path) -> None:
    process = forked(warm, tmp_path, *DEV)
    process.kill()

    assert process.wait(TIMEOUT_S) == -signal.SIGKILL


def test_what_runs_at_the_end_is_killed(tmp_path: Path) -> None:
    with warm_process() as warm:
        process = forked(warm, tmp_path, *DEV)

    assert PlainHost().state_of(process.pid) is ProcessState.GONE


def test_a_command_of_another_kind_is_started_as_ever(warm: str) -> None:
    options = {"cwd": "/", "env": os.environ, "stdout": subprocess.DEVNULL}

    with forking(warm).Popen([sys.executable, "-c", "pass"], **options) as process:
        assert isinstance(process, subprocess.Popen)
