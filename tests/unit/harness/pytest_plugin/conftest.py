"""Runs of pytest inside these tests import the harness anew, but numpy can be loaded only once in a process."""

from __future__ import annotations

import sys

import numpy
import pytest

__all__ = ["numpy"]


@pytest.fixture(autouse=True)
def _no_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that is written anew within a second, in as many characters, would be taken for the compiled one."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
