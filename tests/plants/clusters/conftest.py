"""Checks are imported here as modules, so their markers must be known."""

from __future__ import annotations

import pytest

from harness.pytest_plugin import hooks, links


def pytest_configure(config: pytest.Config) -> None:
    """Makes the plugin's markers known, without the plugin."""
    for marker in (*hooks.MARKERS, *links.MARKERS):
        config.addinivalue_line("markers", marker)
