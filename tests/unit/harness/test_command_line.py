"""`python -m harness` where its reader goes away, or what it is told cannot be."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.search.lockstep.command import main as lockstep
from harness.search.lockstep.model_command import main as model
from harness.search.neighbours.command import main as neighbours


def test_a_list_whose_reader_has_gone_ends_without_a_traceback(root: Path) -> None:
    command = [sys.executable, "-m", "harness", "list", "checks"]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()

        assert process.stderr.read() == ""


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "soon"])
@pytest.mark.parametrize("command", [lockstep, model, neighbours], ids=["lockstep", "model", "neighbours"])
def test_a_search_of_no_time_is_refused_in_one_line(
    command: Callable[[list[str]], int], value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = command(["--target", "reference", "--target", "reference", "--seconds", value])

    said = capsys.readouterr().err
    assert (status, said.count("\n")) == (2, 1)
    assert "must be a number of seconds" in said
