"""The target `planted@NAME`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.targets.planted import plants
from harness.targets.target import ClusterSpec, UnknownTarget, resolve

ROOT = Path(__file__).resolve().parents[3]


def command_line(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.plants", *words], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )


def test_a_planted_target_is_the_reference_with_one_bug() -> None:
    target = resolve("planted@drops_headers")

    assert target.name == "planted@drops_headers"
    assert target.lack(ClusterSpec()) is None
    assert target.lack_for_fault("kill") is None


def test_a_plant_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(UnknownTarget, match=r"unknown plant 'nothing' \(known: .*python.* -m harness list plants\)"):
        resolve("planted@nothing")


def test_the_plants_are_those_that_the_command_line_lists() -> None:
    listed = command_line("--list")

    assert listed.returncode == 0
    lines = listed.stdout.splitlines()
    assert lines[::3] == plants()
    assert all(line.startswith("    found by: ") and " -m " in line for line in lines[2::3])


def test_an_unknown_plant_is_refused_by_the_command_line() -> None:
    done = command_line("nothing")

    assert done.returncode == 2
    assert done.stderr.startswith("tests.plants: unknown plant 'nothing' (known: ")
