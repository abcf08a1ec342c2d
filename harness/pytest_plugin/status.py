"""How a report of pytest carries a check's outcome, and the letter and word that pytest prints for it."""

from __future__ import annotations

from typing import Final

import pytest

from harness.judging.outcome import Outcome

_PROPERTY: Final = "verdict"
"""The user property of a report that carries the outcome; --junitxml keeps it too."""
_LETTERS: Final = {
    Outcome.HELD: ".",
    Outcome.BROKEN: "B",
    Outcome.UNKNOWN: "U",
    Outcome.DIFFERS: "D",
    Outcome.KNOWN_BUG: "K",
    Outcome.OBSERVED: "o",
    Outcome.SKIPPED: "s",
}


def outcome_property(outcome: Outcome) -> tuple[str, object]:
    """The property for a report's `user_properties`."""
    return _PROPERTY, str(outcome)


class Status:
    """The plugin object that tells pytest how to print an outcome."""

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """The outcome's own category, letter and word. None for a report that is of no check."""
        found = [value for name, value in getattr(report, "user_properties", ()) if name == _PROPERTY]
        if not found:
            return None
        if report.when == "call" or report.failed or (report.when == "setup" and report.skipped):
            outcome = Outcome(str(found[-1]))
            # Not pytest's own categories, so that it does not list again what our summary says.
            return f"{outcome} checks", _LETTERS[outcome], outcome.upper()
        return "", "", ""
