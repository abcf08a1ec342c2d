"""Plants a bug in the process of pytest itself, which is where simulated clusters are, and which ends with its one run:
`-p tests.plants._planted_here --planted NAME`."""

from __future__ import annotations

import pytest

from tests.plants._catalogue import plant


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--planted", metavar="NAME", required=True, help="the bug (python -m harness list plants)")


def pytest_configure(config: pytest.Config) -> None:
    plant(config.getoption("--planted"))
