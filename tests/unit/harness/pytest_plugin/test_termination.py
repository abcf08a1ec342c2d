"""SIGTERM ends a run of checks as Ctrl-C does."""

from __future__ import annotations

import signal

import pytest

from harness.pytest_plugin.termination import Termination


def test_sigterm_is_an_interrupt_while_checks_run_and_what_it_was_after() -> None:
    before, termination = signal.getsignal(signal.SIGTERM), Termination()
    termination.pytest_sessionstart()
    try:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    finally:
        termination.pytest_unconfigure()

    assert signal.getsignal(signal.SIGTERM) == before
