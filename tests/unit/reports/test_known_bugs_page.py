"""known_bugs.html: the bugs that checks are known to find, and how each fared in a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.history.store import Run
from reports import known_bugs, summary

Store = Callable[..., Any]
BUG = {
    "id": "KAFKA-1",
    "check": "metadata/x::y[*]",
    "releases": ["4.2", "4.3"],
    "happened": "The settings of * <stay>.",
    "sentence": "Old settings stay.",
    "link": "https://example.org/KAFKA-1",
    "script": "python -m shows",
}


def page(run: Run, *bugs: Any) -> str:
    run.finish({**run.about(), "known_bugs": list(bugs)})
    summary.write(run.path)
    path: Path = run.path / known_bugs.PAGE
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def test_a_bug_is_told_with_its_releases_its_link_and_what_the_check_says(run: Run) -> None:
    html = page(run, BUG)

    assert '<a href="https://example.org/KAFKA-1">KAFKA-1</a>' in html
    assert "<dd>Old settings stay.</dd>" in html
    assert "<dd>4.2, 4.3</dd>" in html
    assert "<code>The settings of * &lt;stay&gt;.</code>" in html
    assert "<code>python -m shows</code>" in html


def test_it_says_how_the_check_fared_in_this_run(run: Run, store: Store) -> None:
    item = store("metadata/x::y[z]", "kafka@4.3.1", "known bug", known_bug=BUG)

    assert f'! known bug</span> <a href="index.html#{item.path.name}">kafka@4.3.1 (4.3.1)</a>' in page(run, BUG)


def test_it_says_that_the_check_did_not_run(run: Run) -> None:
    assert "<dt>in this run</dt><dd>the check did not run</dd>" in page(run, BUG)


def test_the_summary_page_leads_to_it(run: Run) -> None:
    page(run, BUG)

    assert 'href="known_bugs.html"' in (run.path / "index.html").read_text(encoding="utf-8")


def test_a_run_that_knows_no_bugs_has_no_such_page(run: Run) -> None:
    assert page(run) == ""
