"""Lets the tests beside it import `broker_process`, and gives each a broker of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from broker_process import TIMEOUT_S, Broker


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A node with its file written and its folders formatted, not started."""
    made = Broker(tmp_path)
    made.write_file()
    assert made.format().returncode == 0
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.kill()
        made.process.wait(TIMEOUT_S)
