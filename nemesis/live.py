"""Progress of a running scenario: one line that is rewritten on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from typing import TextIO

from harness.runs.progress import Progress

_SPARSE_EVERY_S = 10.0
_LONGEST_PHASE = 40


def _shortened(phase: str) -> str:
    """A phase of several faults in at most 40 letters: the whole line is to stand on one of a terminal's."""
    return phase if len(phase) <= _LONGEST_PHASE else f"{phase[: _LONGEST_PHASE - 1]}…"


class Live:
    """Writes lines of progress; what it cannot write is left out."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._is_live = out.isatty()
        self._width = 0
        self._said_at = 0.0
        self._phase = ""
        self._lock = threading.Lock()

    def show(self, progress: Progress) -> None:
        """Where a run stands; elsewhere than on a terminal when the phase changes, and every few seconds."""
        text = (
            f"{progress.elapsed_s:5.0f} s  {_shortened(progress.phase)}  {progress.sent:,} sent  "
            f"{progress.acknowledged:,} acknowledged  lag {progress.lag:,}  {progress.faults} faults"
        )
        is_new, self._phase = progress.phase != self._phase, progress.phase
        self.say(text, is_due=is_new)

    def say(self, text: str, *, is_due: bool = True) -> None:
        """A line that the next one replaces; elsewhere than on a terminal left out when it is not due."""
        now = time.monotonic()
        with self._lock, contextlib.suppress(OSError, ValueError):
            if self._is_live:
                text = text[: shutil.get_terminal_size().columns - 1]
                self._out.write("\r" + text.ljust(self._width))
                self._width = len(text)
            elif is_due or now - self._said_at >= _SPARSE_EVERY_S:
                self._out.write(text + "\n")
                self._said_at = now
            self._out.flush()

    def end(self, text: str) -> None:
        """A line that stays."""
        self.clear()
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._out.write(text + "\n")
            self._out.flush()

    def clear(self) -> None:
        """Removes the line that is rewritten."""
        with self._lock, contextlib.suppress(OSError, ValueError):
            if self._width:
                self._out.write("\r" + " " * self._width + "\r")
                self._out.flush()
                self._width = 0
