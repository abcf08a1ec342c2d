"""accidents.html: what Kafka does by accident, from the account of a run."""

from __future__ import annotations

import re
from typing import Any

from harness.history.store import Run
from reports import accidents, summary
from tests.unit.reports import accounts

ACCIDENT = {
    "check": "metadata/describe_configs::a_type",
    "api": "DescribeConfigs",
    "field": "results[].error_message",
    "values": {"reference*": "Unexpected resource type", "*": "This most likely occurs <because>"},
    "source": "accident",
    "reason": "The words are those of a Java exception.",
    "evidence": "The recording of 4.3.1.",
    "documents": "ErrorMessage is the error message, or null.",
    "review_by": "2027-06-30",
}


def page(run: Run, *found: Any) -> str:
    accounts.keep(run, {**accounts.account(), "accidents": list(found)})
    summary.write(run.path)
    path = run.path / accidents.PAGE
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def facts(html: str) -> dict[str, str]:
    return dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", html))


def test_an_accident_is_told_with_the_documents_kafka_the_reference_and_the_evidence(run: Run) -> None:
    found = facts(page(run, ACCIDENT))

    assert found["what the documents say"] == "ErrorMessage is the error message, or null."
    assert found["what Kafka does"] == "<code>This most likely occurs &lt;because&gt;</code>"
    assert found["what the reference does"] == "<code>Unexpected resource type</code>"
    assert found["evidence"] == "The recording of 4.3.1."


def test_the_summary_page_leads_to_the_accidents_and_back(run: Run) -> None:
    html = page(run, ACCIDENT)

    assert 'href="accidents.html"' in (run.path / "index.html").read_text(encoding="utf-8")
    assert 'href="index.html"' in html


def test_a_run_without_accidents_has_no_page_and_no_link(run: Run) -> None:
    assert page(run) == ""
    assert "accidents.html" not in (run.path / "index.html").read_text(encoding="utf-8")


def test_the_page_of_an_account_that_is_no_more_goes(run: Run) -> None:
    page(run, ACCIDENT)

    assert page(run) == ""


def test_what_several_checks_have_found_is_told_once(run: Run) -> None:
    html = page(run, ACCIDENT, {**ACCIDENT, "check": "lockstep", "evidence": "As in the other."})

    assert html.count("<section>") == 1
    assert facts(html)["found by"] == "<code>metadata/describe_configs::a_type</code><br><code>lockstep</code>"
