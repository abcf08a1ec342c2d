"""The end of a run: what did not hold, why checks were skipped, how each area fared, and where the report is."""

from __future__ import annotations

from collections.abc import Generator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from harness.judging.outcome import Outcome
from harness.pytest_plugin.allure_folder import write_results
from harness.pytest_plugin.session import SESSION
from harness.pytest_plugin.words import area_lines, counts_line, loss_lines, skip_lines


class Summary:
    """The plugin object."""

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        """What did not hold, by what known bugs checks are broken, and why checks were skipped."""
        session = config.stash[SESSION]
        for record in session.records:
            if record.outcome.is_failure:
                terminalreporter.write_line("")
                for number, line in enumerate(record.failure):
                    terminalreporter.write_line(line, red=number == 0, bold=number == 0)
        for record in session.records:
            if record.outcome is Outcome.KNOWN_BUG:
                terminalreporter.write_line("")
                for number, line in enumerate(record.failure):
                    terminalreporter.write_line(line, yellow=number == 0, bold=number == 0)
        lost = loss_lines(session.records)
        if lost:
            terminalreporter.write_line("")
            for line in lost:
                terminalreporter.write_line(line)
        skipped = skip_lines(session.records)
        if skipped:
            terminalreporter.write_line("")
            for line in skipped:
                terminalreporter.write_line(line, yellow=True)
        # Our own counts line takes the place of pytest's, and is the last.
        terminalreporter.summary_stats = lambda: None  # type: ignore[method-assign]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        """Closes what is open, writes the summary, and says the last lines."""
        ours = session.config.stash[SESSION]
        ours.clusters.close_all_but(None)
        yield
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if ours.stored is None or reporter is None:  # nothing ran, or this is a worker, whose controller does it
            return
        trouble = ""
        with ours.storing():
            ours.stored.finish(ours.about())
            trouble = _write_page(ours.stored.path)
        trouble_with_allure = write_results(session.config, ours.stored.path)
        is_plain = not _can_draw(reporter)
        reporter.write_line("")
        for line, has_held in area_lines(ours.records, is_plain=is_plain):
            reporter.write_line(line, green=has_held, red=not has_held)
        reporter.write_line("")
        is_good = not any(record.outcome.is_failure for record in ours.records)
        counts = counts_line(ours.records, ours.about()["elapsed_s"], is_plain=is_plain)
        reporter.write_line(counts, green=is_good, red=not is_good, bold=True)
        page = ours.stored.path / "index.html"
        reporter.write_line(f"report        {ours.shown(page if page.is_file() else ours.stored.path)}{trouble}")
        if ours.not_stored:
            reporter.write_line(f"not stored    {ours.not_stored}", red=True, bold=True)
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
        if trouble_with_allure:
            reporter.write_line(f"allure        {trouble_with_allure}", red=True)
        ours.progress.close()


def _write_page(path: Path) -> str:
    """Builds the page of the run; what went wrong, for the line that names it. OSError: no room, no right."""
    try:
        import_module("reports.summary").write(path)
    except ModuleNotFoundError as missing:
        return f"   (no page: the package {missing.name} is not installed)"
    except OSError:
        raise
    except Exception as trouble:
        return f"   (the page could not be written: {type(trouble).__name__}: {trouble})"
    return ""


def _can_draw(reporter: Any) -> bool:
    """Whether bars can be drawn with block characters."""
    encoding = getattr(getattr(reporter, "_tw", None), "_file", None)
    try:
        "█·".encode(getattr(encoding, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
