"""Lets test files import the modules that stand beside them, and makes skips failures where their means are required.

`make test REQUIRE=java,docker` (or the environment variable): a test that would be skipped for want of one of these
fails instead, with the reason of the skip. Tests skip for a `Lack`, by `skip_for`, which tells the means.

A test marked `long` is left to `make nightly`, which sets TESTS=all; a run of its file or of it alone runs it, too.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

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

MEANS = (Means.JAVA, Means.DOCKER, Means.CHROMIUM, Means.ROOT, Means.NODE_JS, Means.INDEX, Means.FUSE)
"""What can be required."""

LEFT_OUT = pytest.StashKey[int]()
"""How many long tests were left out."""
SHARING = ("real", "plants", "brokers", "recorded")
"""Folders whose files open a cluster, a browser or a warm process for all their tests."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--rewrite` is for tests whose expected results stand in text files."""
    parser.addoption("--rewrite", action="store_true", help="write what is printed now into the transcripts")


def pytest_configure(config: pytest.Config) -> None:
    """An unknown word in REQUIRE is an error: it would require nothing."""
    config.addinivalue_line("markers", "long: takes long; make test leaves it to make nightly")
    unknown = [word for word in required() if word not in MEANS]
    if unknown:
        raise pytest.UsageError(f"REQUIRE: there is no {', '.join(unknown)} to require (known: {', '.join(MEANS)})")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks for the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what is long. With `-n 2 --dist loadgroup` one worker runs a whole file of the folders whose tests
    share what is dear.
    """
    if os.environ.get("TESTS") != "all" and all(Path(one).is_dir() for one in config.args):
        left_out = [item for item in items if item.get_closest_marker("long") is not None]
        items[:] = [item for item in items if item.get_closest_marker("long") is None]
        config.hook.pytest_deselected(items=left_out)
        config.stash[LEFT_OUT] = len(left_out)
    for item in items:
        if item.path.parent.name in SHARING and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist tells its controller, which collects nothing."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left_out"] = session.config.stash.get(LEFT_OUT, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """All workers collect the same tests."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """How many tests were left out."""
    if count := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(f"left out      {count} long tests, which make nightly runs (TESTS=all)")


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
