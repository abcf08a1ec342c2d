"""A signal to .ci/run ends the part that runs and all that it has started, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

MARK = "TEST_OF_CI"
PART = """#!/usr/bin/env bash
# Stands in for `make`: begins a process in a session of its own, and both work for ever.
setsid bash -c '%s; echo >"$TEST_BEGAN"; while :; do sleep 1; done' &
trap 'kill $!; trap - INT; kill -INT $$' INT
while :; do sleep 0.1; done
"""
WILLING, STUBBORN = "true", 'trap "" INT TERM'
BOUND_S = 60.0


@dataclass(frozen=True)
class Script:
    """The script, at work on a part."""

    process: subprocess.Popen[bytes]
    scratch: Path
    """Where it makes its folder."""
    mark: str
    """In the environment of all that it has started."""

    def left(self) -> list[str]:
        """The commands that it has started and that still run."""
        return [
            _text(folder / "cmdline")
            for folder in Path("/proc").glob("[0-9]*")
            if self.mark in _text(folder / "environ")
        ]


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace").replace("\0", " ")
    except OSError:  # it has ended
        return ""


def wait_until_there(path: Path) -> None:
    deadline = time.monotonic() + BOUND_S
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def script(request: pytest.FixtureRequest, root: Path, tmp_path: Path) -> Iterator[Script]:
    """The script in a checkout of its own, on a machine on which all packages are installed."""
    shutil.copytree(root / ".ci", tmp_path / ".ci")
    scratch, programs, began = tmp_path / "scratch", tmp_path / "bin", tmp_path / "began"
    scratch.mkdir()
    programs.mkdir()
    for name, text in (("dpkg-query", "#!/bin/sh\necho installed\n"), ("make", PART % request.param)):
        (programs / name).write_text(text, encoding="utf-8")
        (programs / name).chmod(0o755)
    for name in ("java", "javac", "mvn"):
        (programs / name).symlink_to("/bin/true")
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "TMPDIR": str(scratch), "TEST_BEGAN": str(began)}
    mark = f"{MARK}={tmp_path}"
    process = subprocess.Popen(
        ["bash", tmp_path / ".ci" / "run"],
        env=os.environ | environment | {MARK: str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    made = Script(process, scratch, mark)
    wait_until_there(began)
    yield made
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    ("script", "number", "status"),
    [(WILLING, signal.SIGTERM, 143), (WILLING, signal.SIGINT, 130), (STUBBORN, signal.SIGTERM, 143)],
    ids=["TERM", "INT", "a process that heeds none"],
    indirect=["script"],
)
def test_a_signal_ends_the_part_and_leaves_nothing(script: Script, number: signal.Signals, status: int) -> None:
    script.process.send_signal(number)

    assert script.process.wait(BOUND_S) == status
    assert script.left() == []
    assert list(script.scratch.iterdir()) == []
