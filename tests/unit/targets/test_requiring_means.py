"""REQUIRE makes a skip for want of Java or Docker a failure, and leaves other skips alone, whatever their words."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = """
import pytest
from harness.hosts.lack import Lack, Means
from harness.pytest_plugin.lacking import skip_for

def test_called():
    skip_for(Lack(Means.JAVA, "there is no java on the PATH"))

@pytest.fixture
def cluster():
    skip_for(Lack(Means.DOCKER, "docker@x: no daemon answers"))

def test_of_a_fixture(cluster): ...

def test_skipped_for_another_reason():
    pytest.skip("it is not written in java, and runs in no docker")
"""


@pytest.fixture
def project(pytester: pytest.Pytester, root: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with the conftest of these tests and three tests that are skipped."""
    monkeypatch.delenv("REQUIRE", raising=False)
    pytester.makeconftest((root / "tests" / "conftest.py").read_text(encoding="utf-8"))
    pytester.makepyfile(TESTS)
    return pytester


@pytest.mark.parametrize(("words", "failed"), [("", 0), ("java", 1), ("docker", 1), ("java,docker", 2)])
def test_only_skips_for_want_of_what_is_required_fail(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, words: str, failed: int
) -> None:
    monkeypatch.setenv("REQUIRE", words)
    counts = project.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:asyncio").parseoutcomes()
    assert counts.get("failed", 0) + counts.get("errors", 0) == failed


def test_the_failure_tells_the_reason_of_the_skip(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRE", "java")
    result = project.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:asyncio")
    result.stdout.fnmatch_lines(["*REQUIRE=java forbids to skip*there is no java on the PATH"])


def test_an_unknown_word_is_refused(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRE", "jav")
    result = project.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:asyncio")
    result.stderr.fnmatch_lines(["*there is no jav to require (known: java, docker*"])
