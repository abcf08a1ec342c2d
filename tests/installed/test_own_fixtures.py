"""This project's fixtures, markers and statuses are what they were before the plugin was installed."""

from __future__ import annotations

import pytest


def test_fixtures_are_this_projects(client: str, admin: str, seed: str, target: str, cluster: str, drive: str) -> None:
    assert all(value.startswith("this project's") for value in (client, admin, seed, target, cluster, drive))


@pytest.mark.slow
def test_a_marker_is_known() -> None:
    assert True


@pytest.mark.skip(reason="this project's reason")
def test_a_skip_is_a_skip() -> None:
    raise AssertionError("skipped tests do not run")


@pytest.mark.xfail(reason="this project's known bug", strict=True)
def test_an_expected_failure_is_one() -> None:
    assert 1 + 1 == 3
