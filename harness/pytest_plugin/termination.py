"""SIGTERM ends a run as Ctrl-C does, so that the clusters it started are removed; by itself pytest would die at once.

A CI that cancels a job sends SIGTERM.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import NoReturn

import pytest


class Termination:
    """From `pytest_sessionstart` on SIGTERM is a KeyboardInterrupt; what was there before comes back at the end."""

    def __init__(self) -> None:
        self._before: signal._HANDLER = None

    def pytest_sessionstart(self) -> None:
        """Takes the signal; only a main thread may, and a pytest that is started elsewhere does without."""
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, _interrupt)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Gives it back."""
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt("SIGTERM")
