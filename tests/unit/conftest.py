"""What tests need of the form in which the reference runs: see compiled/README.md."""

from __future__ import annotations

from importlib.machinery import EXTENSION_SUFFIXES

import pytest

from reference_broker.replication import leader


@pytest.fixture
def plain_python() -> None:
    """For tests that replace methods of the reference's classes; skips where these are compiled."""
    if str(leader.__file__).endswith(EXTENSION_SUFFIXES[0]):
        pytest.skip("the reference is compiled: methods of its classes cannot be replaced")
