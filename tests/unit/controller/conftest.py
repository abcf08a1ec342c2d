"""Lets the tests of deciders import what stands beside them: a cluster in memory, and a controller."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from reference_broker.controller.controller import Controller

HERE = str(Path(__file__).parent)
if HERE not in sys.path:
    sys.path.insert(0, HERE)


@pytest.fixture
def log() -> Any:
    """A metadata log that is committed as soon as it is written."""
    from metadata_log_in_memory import MetadataLogInMemory

    return MetadataLogInMemory()


@pytest.fixture
def controller(log: Any) -> Controller:
    """The controller of a broker that has just started on that log."""
    from controller_in_memory import start

    return start(log)
