"""Progress of a long check: one line that is rewritten on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from typing import TextIO

import pytest

from harness.runs.progress import Progress

_SPARSE_EVERY_S = 15.0


class ProgressLine:
    """Writes past pytest's capture, to where pytest itself writes."""

    def __init__(self, config: pytest.Config, *, may_rewrite: bool = True) -> None:
        """`may_rewrite`: whether the last line of a terminal may be ours."""
        self._out = _own_output(config)
        self._is_live = may_rewrite and self._out is not None and self._out.isatty()
        self._width = 0
        self._said_at = time.monotonic()
        self._lock = threading.Lock()

    def show(self, title: str, progress: Progress) -> None:
        """Where a run stands."""
        self.say(progress_text(title, progress))

    def say(self, text: str) -> None:
        """A line of progress: rewrites the last one on a terminal; elsewhere it is left out when one was just said."""
        if self._out is None:
            return
        with self._lock, contextlib.suppress(OSError, ValueError):
            now = time.monotonic()
            if self._is_live:
                text = text[: _columns() - 1]
                self._out.write("\r" + text.ljust(self._width))
                self._width = len(text)
            elif now - self._said_at < _SPARSE_EVERY_S:
                return
            else:
                self._out.write(f"\n  … {text}\n")
            self._said_at = now
            self._out.flush()

    def begin(self) -> None:
        """A check starts: its first sparse line is due after a while only."""
        self._said_at = time.monotonic()

    def clear(self) -> bool:
        """Removes the line; whether there was one."""
        if self._out is None or not self._width:
            return False
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._out.write("\r" + " " * self._width + "\r")
            self._out.flush()
            self._width = 0
        return True

    def close(self) -> None:
        """Gives its file back."""
        if self._out is not None:
            self._out.close()
            self._out = None


def progress_text(title: str, progress: Progress) -> str:
    """Where a run stands, in one line."""
    faults = f"  {progress.faults} fault{'s' if progress.faults != 1 else ''}" if progress.faults else ""
    return (
        f"{title}  {progress.phase}  {progress.elapsed_s:.0f} s  {progress.sent:,} sent  "
        f"{progress.acknowledged:,} acked  {progress.read:,} read{faults}"
    )


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.__stdout__.fileno() if sys.__stdout__ else 1).columns
    except (OSError, ValueError):
        return 100


def _own_output(config: pytest.Config) -> TextIO | None:
    """A second handle on standard output, taken while pytest does not capture it; None where there is none."""
    if config.getoption("verbose", 0) < -1:
        return None
    try:
        return os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", errors="replace")
    except (OSError, ValueError, AttributeError):
        return None
