"""Of like anomalies of one check the first is shown; the others open on demand."""

from __future__ import annotations

from harness.judging.verdicts import Anomaly
from reports.details import shown_findings
from reports.findings import Finding, Findings
from reports.series import Series


def found(*names: str) -> str:
    made = (Anomaly(name=name, claim="D1", sentence=f"{name} {at}") for at, name in enumerate(names))
    return "".join(
        shown_findings(Findings(series=Series(), findings=tuple(Finding(anomaly=one, witness=()) for one in made)))
    )


def test_the_first_of_each_kind_is_shown_and_the_others_are_counted() -> None:
    html = found("lost-write", "lost-write", "duplicate", "lost-write")

    before_the_others, _, others = html.partition("<details")
    assert "lost-write 0" in before_the_others
    assert "2 more of lost-write" in others
    assert "lost-write 1" not in before_the_others
    assert html.index("duplicate 2") > html.index("lost-write 3")


def test_one_of_a_kind_has_nothing_to_open() -> None:
    assert "<details" not in found("lost-write", "duplicate")
