"""`known_bugs.html`: the bugs of Apache Kafka that checks are known to find, and how each fared in this run.

One file that opens from disk, without scripts. The entries stand in the run, as checks/known_bugs.toml listed them.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from harness.history.whole_file import write_whole
from reports.details import known_bug_rows
from reports.markup import badge, element, facts, link, text
from reports.results import KnownBug, Result, Results, shown_path
from reports.style import CSS
from reports.words import count

PAGE = "known_bugs.html"
SUMMARY_PAGE = "index.html"

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
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>Known bugs of Kafka</title><style>{CSS}</style>'
    )
    top = element(
        "header",
        element("h1", "Known bugs of Kafka"),
        element("p", text(_MEANING)),
        element("p", count(len(bugs), "known bug"), class_="soft"),
        element("nav", link(SUMMARY_PAGE, "Summary page"), aria_label="Pages"),
    )
    foot = f"Build this page again: {element('code', text('python -m harness report ' + shown_path(results.path)))}"
    body = "".join(_section(bug, results) for bug in bugs)
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head><body>{top}<main>{body}</main>'
        f"{element('footer', element('p', foot, class_='soft'))}</body></html>\n"
    )


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
