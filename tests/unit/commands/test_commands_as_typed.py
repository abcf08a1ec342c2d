"""Commands that are printed work as they stand, in the shell of whoever reads them."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from command_process import ROOT, ended

from reference_broker.command_line import as_typed


def test_an_environment_below_the_current_folder_is_named_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv" / "bin" / "python"))
    assert as_typed("harness list checks") == ".venv/bin/python -m harness list checks"


def test_a_python_that_path_finds_is_named_without_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "active" / "python3"
    program.parent.mkdir()
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'none'}:{program.parent}")
    monkeypatch.setattr(sys, "executable", str(program))
    assert as_typed("harness list checks") == "python3 -m harness list checks"


def test_any_other_python_is_named_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "my python" / "python3"))
    assert as_typed("harness list checks") == f"'{tmp_path}/my python/python3' -m harness list checks"


def test_an_argument_that_a_shell_would_take_apart_is_quoted() -> None:
    words = shlex.split(as_typed("harness judge", "reports/out/a run[1]"))
    assert words[-3:] == ["harness", "judge", "reports/out/a run[1]"]


def test_the_command_in_a_refusal_can_be_typed() -> None:
    refusal = ended(["harness", "simulate", "--seeds", "many"]).complaints[-1]
    command = refusal.partition("(see ")[2].removesuffix(")")

    said = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)

    assert said.stdout.startswith(f"usage: {command.removesuffix(' --help')}")
