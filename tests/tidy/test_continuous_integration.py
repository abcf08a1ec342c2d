"""Each part of .ci/run has its budget, no budget is without its part, and the last line counts what the parts did."""

from __future__ import annotations

import re
import runpy

import pytest
from source_tree import ROOT

CI = ROOT / ".ci"
PYTEST = "===== 2310 passed, 3 skipped, 1 failed in 280.29s (0:04:40) ====="
CHECKS = (
    "28 held · 1 broken · 2 unknown · 0 differ · 1 known bug · 4 observed · 5 skipped · 31 s · 8,713 operations · "
    "4 faults"
)


def counted(text: str) -> dict[str, int]:
    counts = runpy.run_path(str(CI / "closing_line.py"))["counts"]
    return dict(counts(text))


def test_each_part_has_a_budget_and_each_budget_a_part() -> None:
    script = (CI / "run").read_text(encoding="utf-8")
    parts = set(re.findall(r'^(?:part|beside|ended) "([^"$]+)"', script, re.M))
    budgets = {
        line.split(maxsplit=1)[1]
        for line in (CI / "budget.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    }

    assert parts == budgets


def test_what_runs_beside_is_joined() -> None:
    script = (CI / "run").read_text(encoding="utf-8")

    assert re.findall(r'^beside "([^"]+)"', script, re.M) == re.findall(r'^joined "([^"]+)"', script, re.M)


def test_the_closing_line_of_pytest_is_counted() -> None:
    assert counted(PYTEST) == {"passed": 2310, "skipped": 3, "failed": 1}


def test_the_closing_line_of_checks_is_counted() -> None:
    assert counted(CHECKS) == {"passed": 32, "failed": 3, "skipped": 5, "known bugs": 1}


def test_other_lines_are_not_counted() -> None:
    assert counted("durability   ██░░  2 held · 1 broken\nnothing is missing\n") == {}


def test_tests_of_one_group_run_in_one_worker(pytester: pytest.Pytester) -> None:
    """pytest-xdist 3.8 gives pytest 9.2 no groups, and says nothing: each worker would open every cluster."""
    pytester.makepyfile(
        """
        import os
        import pytest

        @pytest.mark.xdist_group("together")
        @pytest.mark.parametrize("number", range(8))
        def test_one(number):
            print("worker", os.environ["PYTEST_XDIST_WORKER"])
        """
    )
    result = pytester.runpytest_subprocess("-n", "2", "--dist", "loadgroup", "-rP", "-p", "no:kafka-verification")

    result.assert_outcomes(passed=8)
    assert len({line for line in result.outlines if line.startswith("worker ")}) == 1
