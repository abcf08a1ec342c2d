"""Makes a verdict of the anomalies that a checker found, according to the guarantees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from harness.history.history import AnyHistory
from harness.judging.evidence.evidence import Evidence
from harness.judging.guarantees import ANOMALIES, Guarantees, Standing
from harness.judging.verdicts import Anomaly, Validity, Verdict

LISTED = 8
"""Most anomalies that a verdict lists; further ones are only counted."""


@dataclass(frozen=True, slots=True)
class Excused:
    """Anomalies that are reported but break no promise, whatever the settings, and why."""

    found: Sequence[Callable[[], Anomaly]]
    count: int
    because: str


Checker = Callable[[AnyHistory, Guarantees], Verdict]


def anomaly(name: str, sentence: str, witness_lines: Sequence[str], index: int = -1) -> Anomaly:
    """An anomaly with the claim that its name stands for in ANOMALIES."""
    return Anomaly(
        name=name, claim=ANOMALIES[name][0], sentence=sentence, witness_lines=tuple(witness_lines), index=index
    )


def ruling(
    name: str,
    found: Iterable[Callable[[], Anomaly]],
    rules: Guarantees,
    *,
    count: int,
    rests_on: str,
    unknown: str | None = None,
    excused: Excused | None = None,
) -> Verdict:
    """The verdict on one kind of anomaly.

    `found` has functions that make the anomalies, so that only those listed are made; `count` is their number.
    `rests_on` says what was examined, with numbers. `unknown` says why the verdict is unknown if no anomaly was found;
    None if it is valid then. `excused` anomalies are reported without making the verdict invalid.
    """
    standing = rules.standing(name)
    if standing is Standing.NOT_APPLICABLE:
        return Verdict(checker=name, validity=Validity.VALID, reason=f"not applicable: {rules.because(name)}")
    listed = tuple(make() for make in islice(found, LISTED))
    if standing is Standing.TOLERATED:
        return Verdict(
            checker=name,
            validity=Validity.VALID,
            tolerated=listed,
            reason=f"tolerated: {rules.because(name)}" if listed else "",
            count=count,
            rests_on=rests_on,
        )
    spared = tuple(make() for make in islice(excused.found, LISTED)) if excused else ()
    if listed:
        reason = f"forbidden: {rules.because(name)}"
        return Verdict(
            checker=name,
            validity=Validity.INVALID,
            anomalies=listed,
            tolerated=spared,
            reason=reason,
            count=count,
            rests_on=rests_on,
        )
    if unknown is not None:
        return Verdict(checker=name, validity=Validity.UNKNOWN, reason=unknown, rests_on=rests_on)
    if excused is not None and spared:
        return Verdict(
            checker=name,
            validity=Validity.VALID,
            tolerated=spared,
            reason=f"tolerated: {excused.because}",
            count=excused.count,
            rests_on=rests_on,
        )
    return Verdict(checker=name, validity=Validity.VALID, rests_on=rests_on)


def unread(evidence: Evidence, wheres: Iterable[int]) -> str | None:
    """Why the final log of these partitions is not completely known; None if it is."""
    if not evidence.is_complete:
        return "the history ends in the middle: the harness died while writing it; run the check again"
    open_ends = sorted(
        evidence.place(where) for where in wheres if (end := evidence.ends.get(where)) is None or not end.is_whole
    )
    if open_ends:
        return f"the final read did not reach the end of {', '.join(open_ends[:4])}; run it again, or for longer"
    return None


def counted(number: int, what: str) -> str:
    """A number with a noun in the singular or plural: "1,234 records", "1 record"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
