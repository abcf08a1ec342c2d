"""Commands as a user runs them: processes, with the streams that a test gives them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    complaints: tuple[str, ...]
    """Its lines on standard error."""


def popen(words: Sequence[str], folder: Path, environment: Mapping[str, str], **streams: int) -> subprocess.Popen[str]:
    """`python -m WORDS`, started in a folder."""
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **streams,
    )


def ended(
    words: Sequence[str], folder: Path = ROOT, *, out: str = "", environment: Mapping[str, str] | None = None
) -> Ended:
    """Runs a command to its end. `out` is a file for its output."""
    target = os.open(out, os.O_WRONLY) if out else subprocess.PIPE
    try:
        process = popen(words, folder, environment or {}, stdout=target)
    finally:
        if out:
            os.close(target)
    return _waited_for(process)


def ended_unread(words: Sequence[str], folder: Path = ROOT) -> Ended:
    """Runs a command whose output nobody reads: the other end of its pipe is closed."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        process = popen(words, folder, {}, stdout=writing)
    finally:
        os.close(writing)
    return _waited_for(process)


def _waited_for(process: subprocess.Popen[str], before: str = "") -> Ended:
    try:
        said, complained = process.communicate(timeout=TIMEOUT_S)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    return Ended(process.returncode, before + (said or ""), tuple(complained.splitlines()))


def ended_by_signal(words: Sequence[str], is_at_work: Callable[[str], bool], number: int, folder: Path = ROOT) -> Ended:
    """Sends a signal when a line of output tells that the command is at work."""
    process = popen(words, folder, {}, stdout=subprocess.PIPE)
    assert process.stdout is not None
    said, deadline = [], time.monotonic() + TIMEOUT_S
    for line in process.stdout:
        said.append(line)
        if is_at_work(line) or time.monotonic() > deadline:
            process.send_signal(number)
            break
    return _waited_for(process, "".join(said))
