"""From what a checker found to its verdict, by the rules of the settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.history.operations import History
from harness.judging.guarantees import ANOMALIES, Guarantees, Standing
from harness.judging.verdicts import Anomaly, Validity, Verdict

LISTED = 8
"""Anomalies that a verdict spells out; the others are counted."""

Checker = Callable[[History, Guarantees], Verdict]


def anomaly(name: str, sentence: str, witness_lines: Sequence[str], index: int = -1) -> Anomaly:
    """An anomaly of a known name, with the claim that it breaks."""
    return Anomaly(
        name=name, claim=ANOMALIES[name][0], sentence=sentence, witness_lines=tuple(witness_lines), index=index
    )


def ruling(
    name: str, found: Sequence[Callable[[], Anomaly]], rules: Guarantees, *, unknown: str | None = None
) -> Verdict:
    """The verdict on one kind of anomaly.

    `found` are makers, so that witnesses are written for the listed ones only. `unknown` says why nothing can be
    concluded where nothing was found.
    """
    standing = rules.standing(name)
    if standing is Standing.NOT_APPLICABLE:
        return Verdict(checker=name, validity=Validity.VALID, reason=f"not applicable: {rules.because(name)}")
    listed = tuple(make() for make in found[:LISTED])
    if standing is Standing.TOLERATED:
        reason = f"tolerated: {rules.because(name)}" if listed else ""
        return Verdict(checker=name, validity=Validity.VALID, tolerated=listed, reason=reason, count=len(found))
    if listed:
        reason = f"forbidden: {rules.because(name)}"
        return Verdict(checker=name, validity=Validity.INVALID, anomalies=listed, reason=reason, count=len(found))
    if unknown is not None:
        return Verdict(checker=name, validity=Validity.UNKNOWN, reason=unknown)
    return Verdict(checker=name, validity=Validity.VALID)


def unread(history: History, partitions: Sequence[str]) -> str | None:
    """Why the end of the log is not known, where it is not."""
    if not history.is_complete:
        return "the history ends in the middle: the harness died while writing it; run the check again"
    if partitions:
        return f"the final read did not reach the end of {', '.join(partitions[:4])}; run it again, or for longer"
    return None
