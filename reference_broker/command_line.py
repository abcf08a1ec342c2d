"""How every command ends: with an exit status and, where something is wrong, one line on standard error; no traceback.

Used by `python -m reference_broker`, `harness`, `nemesis` and `bench`. A reader that has gone away (`… | head -1`),
Ctrl-C, SIGTERM, a full disk and a file that cannot be read or written are no defects of a command.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import io
import os
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final, NoReturn, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

FAILED: Final = 1
WRONG_INPUT: Final = 2
INTERRUPTED: Final = 128 + signal.SIGINT
NOBODY_READS: Final = 128 + signal.SIGPIPE

_REMEDIES: Final = {
    errno.ENOSPC: "free some space there and run it again",
    errno.EDQUOT: "free some space there and run it again",
    errno.EACCES: "this user needs the right to use it",
    errno.EPERM: "this user needs the right to use it",
    errno.EROFS: "choose a folder that can be written",
    errno.ENOENT: "give one that exists",
    errno.ENOTDIR: "a folder is needed there",
    errno.EISDIR: "a file is needed there",
}
"""Error number → what its reader can do about it."""


def as_typed(words: str, *more: str) -> str:
    """A command of ours as a shell in the current folder takes it: "harness list" → ".venv/bin/python -m harness list".

    `more` are arguments that are quoted where the shell needs it. Python is named as shortly as it can be: by a path
    below the current folder, by its name where PATH finds it, else by its whole path.
    """
    return " ".join((_this_python(), "-m", words, *map(shlex.quote, more)))


def _this_python() -> str:
    if not sys.executable:
        return "python"
    program = Path(sys.executable)
    if program.is_relative_to(here := Path.cwd()):
        return shlex.quote(program.relative_to(here).as_posix())
    found = next((one for folder in os.get_exec_path() if (one := Path(folder, program.name)).is_file()), None)
    return program.name if found == program else shlex.quote(str(program))


class Parser(argparse.ArgumentParser):
    """A parser that tells what is wrong in one line, and where to read more; status 2."""

    def error(self, message: str) -> NoReturn:
        """Ends the command."""
        words = self.prog.rpartition(" -m ")[2]
        complain(words.replace(" ", ": "), f"{message} (see {as_typed(words)} --help)")
        raise SystemExit(WRONG_INPUT)


def seconds(text: str) -> float:
    """An argument that is a length of time: above 0, at most 11 days. ArgumentTypeError for any other."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < 1e6:
        raise argparse.ArgumentTypeError(f"must be a number of seconds, not {text!r}")
    return found


class _Output(io.FileIO):
    """Standard output that remembers whether it could be written, so that its errors are told from those of files."""

    is_broken = False

    def write(self, data: ReadableBuffer, /) -> int:
        """As its base; an error is also noted."""
        try:
            return super().write(data)
        except OSError:
            self.is_broken = True
            raise


def run(name: str, command: Callable[[], int]) -> int:
    """The exit status of a command: its own, 141 where nobody reads its output, 130 after Ctrl-C, 143 after SIGTERM.

    1 for an OSError that it did not handle, told in one line that begins with the name.
    """
    signal.signal(signal.SIGTERM, _leave)
    output = _watched_output()
    try:
        status = _status_of(command)
        if output is not None:
            sys.stdout.flush()
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # once more ends it at once, also while Python itself ends
        complain(name, "interrupted")
        status = INTERRUPTED
    except OSError as error:
        is_output = output is not None and output.is_broken
        if is_output and isinstance(error, BrokenPipeError):
            status = NOBODY_READS
        else:
            complain(name, told(error, "standard output" if is_output else "a file"))
            status = FAILED
    for stream in (sys.stdout, sys.stderr):
        _let_go(stream)
    return status


def complain(name: str, text: str) -> None:
    """One line on standard error, where there is one."""
    with contextlib.suppress(OSError, ValueError):
        print(f"{name}: {' '.join(text.split())}", file=sys.stderr, flush=True)


def told(error: OSError, what: str = "a file") -> str:
    """An OSError for its user: where, what, and what to do. `what` is said where the error itself names no file."""
    where = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else what
    remedy = _REMEDIES.get(error.errno or 0, "")
    return f"{where}: {error.strerror or error}{f'; {remedy}' if remedy else ''}"


def _status_of(command: Callable[[], int]) -> int:
    """The status, also of a command that leaves by SystemExit, as argparse does."""
    try:
        return command()
    except SystemExit as leaving:
        if isinstance(leaving.code, str):
            print(leaving.code, file=sys.stderr)
            return FAILED
        return int(leaving.code or 0)


def _watched_output() -> _Output | None:
    """Puts an output that is watched in the place of standard output; None where its caller has closed that."""
    before = sys.stdout
    if not isinstance(before, io.TextIOWrapper):
        return None
    output = _Output(before.fileno(), "wb", closefd=False)
    is_prompt = before.line_buffering or before.write_through
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(output), encoding=before.encoding, errors=before.errors, line_buffering=is_prompt
    )
    return output


def _let_go(stream: TextIO | None) -> None:
    """Points a stream that cannot be written at nothing: Python would complain when it flushes it at its end."""
    if stream is None:
        return
    try:
        stream.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    """A command that is told to end clears up what it started, as after Ctrl-C."""
    raise SystemExit(128 + number)
