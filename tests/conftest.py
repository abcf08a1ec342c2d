"""Lets test files import the modules that stand beside them, and makes skips failures where their means are required.

`make test REQUIRE=java,docker` (or the environment variable): a test that would be skipped for want of one of these
fails instead, with the reason of the skip. Tests skip for a `Lack`, by `skip_for`, which tells the means.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

from harness.hosts.lack import Means
from harness.pytest_plugin.lacking import lack_behind

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "tidy")]

pytest_plugins = ["pytester"]
collect_ignore = ["installed"]  # a project of its own: tests/real/test_installed_plugin.py installs the plugin for it

settings.register_profile("untimed", deadline=None)  # a busy machine is no defect
settings.load_profile("untimed")

MEANS = (Means.JAVA, Means.DOCKER, Means.CHROMIUM, Means.ROOT, Means.NODE_JS, Means.INDEX)
"""What can be required."""


SHARING = ("real", "plants", "recorded")
"""Folders whose files open a cluster, a browser or a warm process for all their tests."""


def pytest_configure(config: pytest.Config) -> None:
    """An unknown word in REQUIRE is an error: it would require nothing."""
    unknown = [word for word in required() if word not in MEANS]
    if unknown:
        raise pytest.UsageError(f"REQUIRE: there is no {', '.join(unknown)} to require (known: {', '.join(MEANS)})")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With `-n 2 --dist loadgroup` one worker runs a whole file of these folders: its tests share what is dear."""
    for item in items:
        if item.path.parent.name in SHARING and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turns a skip for want of what is required into a failure."""
    report = yield
    lack = lack_behind(call.excinfo.value if call.excinfo is not None else None)
    if report.skipped and lack is not None and lack.means in required():
        report.outcome = "failed"
        report.longrepr = f"REQUIRE={lack.means} forbids to skip this test, and it would be: {lack}"
    return report


def required() -> list[str]:
    """The words of REQUIRE."""
    return [word for word in re.split(r"[,\s]+", os.environ.get("REQUIRE", "")) if word]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT
