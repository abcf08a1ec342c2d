"""`known_bugs.html`: the bugs of Apache Kafka that checks are known to find, and how each fared in this run.

One file that opens from disk, without scripts. The entries stand in the run, as checks/known_bugs.toml listed them.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from harness.history.whole_file import write_whole
from reports.details import known_bug_rows
from reports.document import SUMMARY_PAGE, listing
from reports.markup import badge, element, facts, link, text
from reports.parts import KnownBug
from reports.results import Result, Results

PAGE = "known_bugs.html"

_MEANING = (
    "Each of these bugs is in releases of Apache Kafka, and a check of ours finds it. On such a release that check, "
    "broken as it is told here, is a known bug: it fails no run, and is not counted among those that held. Broken in "
    "another way it is broken; and where it holds, its entry is out of date and fails the run."
)


def write(results: Results) -> bool:
    """Writes the page into the run's folder; False where the run lists no known bugs. OSError."""
    path = results.path / PAGE
    path.unlink(missing_ok=True)
    if not (bugs := results.known_bugs):
        return False
    write_whole(path, page(bugs, results))
    return True


def page(bugs: Sequence[KnownBug], results: Results) -> str:
    """The page as HTML."""
    sections = [_section(bug, results) for bug in bugs]
    return listing("Known bugs of Kafka", _MEANING, sections, "known bug", results.path)


def _section(bug: KnownBug, results: Results) -> str:
    fared = [_fared(result) for result in results.results if fnmatchcase(result.meta.check, _glob(bug.check))]
    return element(
        "section",
        element("h2", text(bug.sentence.partition(":")[0])),
        facts(
            [
                *known_bug_rows(bug),
                ("found by", element("code", text(bug.check))),
                ("what the check says", element("code", text(bug.happened))),
                ("in this run", "<br>".join(fared) or "the check did not run"),
            ]
        ),
    )


def _fared(result: Result) -> str:
    where = " ".join(filter(None, (result.meta.target, result.meta.version and f"({result.meta.version})")))
    return f"{badge(result.outcome)} {link(f'{SUMMARY_PAGE}#{result.anchor}', text(where))}"


def _glob(check: str) -> str:
    """A check's id, or a glob, in which brackets stand for themselves."""
    return check.replace("[", "[[]")
