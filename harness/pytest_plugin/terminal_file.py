"""The file that pytest's reports go to: where it cannot be written (a full disk), checks go on, and one line tells."""

from __future__ import annotations

import contextlib
import os
from typing import Any

import pytest

from reference_broker.command_line import complain, told


class TerminalFile:
    """Writes to the file until that fails, and then nothing more. A closed pipe ends the run, as without this."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.trouble = ""
        """Why it cannot be written."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, text: str) -> int:
        """As a file; all is taken."""
        self._attempt(lambda: self._file.write(text))
        return len(text)

    def flush(self) -> None:
        """As a file."""
        self._attempt(self._file.flush)

    def _attempt(self, act: Any) -> None:
        if self.trouble:
            return
        try:
            act()
        except BrokenPipeError:
            raise
        except OSError as error:
            self.trouble = told(error, "standard output")
            with contextlib.suppress(OSError, ValueError):
                self._empty()

    def _empty(self) -> None:
        """Drops the buffered output: Python would end with a traceback when it flushes it."""
        number = self._file.fileno()
        kept, nothing = os.dup(number), os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nothing, number)
            self._file.flush()
            os.dup2(kept, number)
        finally:
            os.close(kept)
            os.close(nothing)


class Terminal:
    """The plugin object."""

    def __init__(self, config: pytest.Config) -> None:
        writer = config.get_terminal_writer()
        self._file = writer._file = TerminalFile(writer._file)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Any:
        """A run whose results nobody can read has failed."""
        done = yield
        if self._file.trouble:
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
        return done

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Says so."""
        if self._file.trouble:
            complain("harness", self._file.trouble)
