"""Runs the comparisons when the last check has ended, and reports each as pytest reports a test.

So they count, print and appear in --junitxml like checks, whether the checks ran in this process or in workers.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Literal

import pytest

from harness.comparing.comparisons import Comparison
from harness.comparing.differences import Differences
from harness.judging.outcome import Outcome
from harness.pytest_plugin.known_bugs_review import reviews
from harness.pytest_plugin.session import SESSION, Session
from harness.pytest_plugin.status import outcome_property
from harness.pytest_plugin.words import failure_lines, outcome_of, said_of


class AfterChecks:
    """The plugin object."""

    def __init__(self, differences: Differences) -> None:
        self._differences = differences

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """After the loop, unless it was broken off: then not all was observed that is to be compared."""
        if session.items and not session.config.option.collectonly:
            session.config.stash[SESSION].run()  # where no run can be stored, none begins
        done = yield
        if session.config.option.collectonly:
            return done
        ours = session.config.stash[SESSION]
        comparisons = self._differences.comparisons(ours.records) + reviews(ours)
        session.testscollected += len(comparisons)
        for comparison in comparisons:
            if session.shouldfail or session.shouldstop:
                break
            _run(comparison, ours)
            _report(session, comparison)
        return done


def _run(comparison: Comparison, ours: Session) -> None:
    """Runs one, and stores what came of it."""
    record = comparison.record
    record.started = time.monotonic()
    try:
        comparison.run()
    except Exception as error:
        record.outcome = outcome_of(error)
        ours.open_folder(record)
        record.failure = failure_lines(record, record.outcome, error, "harness/comparing")
        record.happened = said_of(error)
    ours.store(record)


def _report(session: pytest.Session, comparison: Comparison) -> None:
    """The three reports that pytest gives of a test."""
    record, hook = comparison.record, session.config.hook
    location = (record.path, None, record.nodeid.partition("::")[2] or record.nodeid)
    outcome: Literal["passed", "failed", "skipped"] = "failed" if record.outcome.is_failure else "passed"
    longrepr: str | tuple[str, int, str] | None = "\n".join(record.failure) or None
    if record.outcome is Outcome.SKIPPED:
        outcome, longrepr = "skipped", (record.path, 0, record.skip_reason)
    hook.pytest_runtest_logstart(nodeid=record.nodeid, location=location)
    for when in ("setup", "call", "teardown"):
        is_call = when == "call"
        hook.pytest_runtest_logreport(
            report=pytest.TestReport(
                nodeid=record.nodeid,
                location=location,
                keywords={},
                outcome=outcome if is_call else "passed",
                longrepr=longrepr if is_call else None,
                when=when,
                duration=record.duration_s if is_call else 0.0,
                user_properties=[outcome_property(record.outcome)],
            )
        )
    hook.pytest_runtest_logfinish(nodeid=record.nodeid, location=location)
