"""Fixtures of this project's own. Their names are those of the plugin for checks/, which is not on here."""

from __future__ import annotations

import pytest


@pytest.fixture
def client() -> str:
    return "this project's client"


@pytest.fixture
def admin() -> str:
    return "this project's admin"


@pytest.fixture
def seed() -> str:
    return "this project's seed"


@pytest.fixture(params=["blue", "green"])
def target(request: pytest.FixtureRequest) -> str:
    return f"this project's {request.param} target"


@pytest.fixture
def cluster() -> str:
    return "this project's cluster"


@pytest.fixture
def drive() -> str:
    return "this project's drive"
