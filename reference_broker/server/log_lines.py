"""The node's log: one line an event, on stderr."""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import dataclass
from typing import Final

from reference_broker.effects import ConnectionId

LEVELS: Final = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR")
LONGEST_TRACE: Final = 4000


@dataclass(frozen=True, slots=True)
class LogLines:
    """Writes lines of a level or above: `[2026-11-24 20:15:03,120] INFO text`. `name` stands before the text, where
    several nodes share a terminal."""

    least: str = "INFO"
    name: str = ""

    def log(self, level: str, text: str) -> None:
        """One event; further lines of its text are indented."""
        if LEVELS.index(level) >= LEVELS.index(self.least):
            self._write(level, text)

    def trace(self, connection: ConnectionId, direction: str, text: str) -> None:
        """A request or response, for --log-requests; a very long one is cut."""
        cut = text if len(text) <= LONGEST_TRACE else f"{text[:LONGEST_TRACE]}… ({len(text):,} characters)"
        self._write("TRACE", f"connection {connection} {direction} {cut}")

    def _write(self, level: str, text: str) -> None:
        now = time.time()
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
        lines = text.rstrip().replace("\n", "\n    ")
        with contextlib.suppress(OSError):  # nobody reads them, or their disk is full: the node serves on
            sys.stderr.write(
                f"[{stamp},{int(now * 1000) % 1000:03d}] {level} {self.name and f'{self.name}: '}{lines}\n"
            )
            sys.stderr.flush()
