"""The terminal output of a run: how a check that did not hold is shown, and the summary lines."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence

import pytest

from harness.catalogue import Header
from harness.clients.client import ClientTrouble
from harness.hosts.host import HostTrouble
from harness.judging.measures import loss_sentences
from harness.judging.outcome import BrokenPromise, Differs, Outcome
from harness.pytest_plugin.record import CheckRecord
from harness.runs.context import RunTrouble
from reference_broker.command_line import as_typed
from reference_broker.wire.primitives import MalformedRequest

_WIDTH = 118
_BAR = 20
_TROUBLE = (HostTrouble, RunTrouble, ClientTrouble, OSError)
"""Exceptions of the harness and its clients: they prove nothing about the target."""


def outcome_of(error: BaseException) -> Outcome:
    """The outcome of a check that raised this. An exception that is not about the target means unknown, never
    broken."""
    own = getattr(error, "outcome", None)
    if isinstance(own, Outcome):
        return own
    if isinstance(error, _TROUBLE):
        return Outcome.UNKNOWN
    # pytest.raises, where nothing was raised, fails with an exception of pytest's own.
    claims = (AssertionError, MalformedRequest, pytest.fail.Exception)
    return Outcome.BROKEN if isinstance(error, claims) else Outcome.UNKNOWN


def failure_lines(
    record: CheckRecord, outcome: Outcome, error: BaseException, where: str, ended: Sequence[str] = ()
) -> tuple[str, ...]:
    """What is shown of a check that did not hold. `where` is the line of the check that noticed; `ended` tells of nodes
    that do not run."""
    if isinstance(error, Differs):
        return error.lines
    target = f"{record.target}, {record.client}" if record.client else record.target
    head = f"{outcome.upper()}  {record.check} [{target}]"
    if isinstance(error, BrokenPromise):
        claim, promise = error.claim or " ".join(record.claims), error.promise
        lines = [_spread(head, f"{claim} {error.anomaly}".strip()), *_promise(record, promise)]
        lines += _wrapped("What happened: ", error.happened)
        if error.witness:
            lines += ["", *(f"    {line}" for line in error.witness), ""]
        return (*lines, *_next_steps(record))
    lines = [_spread(head, " ".join(record.claims))]
    if outcome in (Outcome.BROKEN, Outcome.KNOWN_BUG):
        lines += _promise(record, "")
        lines += _wrapped("What happened: ", _text_of(error) or f"the check's assertion failed ({where})")
        lines.append(f"  Noticed at {where}")
    elif isinstance(error, _TROUBLE) or isinstance(getattr(error, "outcome", None), Outcome):
        lines += _wrapped("Nothing is proved: ", _text_of(error))
    else:
        lines += _wrapped("Error in the check itself: ", f"{type(error).__name__}: {_text_of(error)}")
        lines.append(f"  Noticed at {where}   (-vv shows the stack trace)")
    for sentence in ended:
        lines += _wrapped("Meanwhile ", sentence)
    return (*lines, *_next_steps(record))


def said_of(error: BaseException) -> str:
    """What a check itself says of what it found, and its evidence: without its name, its claim and its commands."""
    if isinstance(error, BrokenPromise):
        return "\n".join((error.happened, *error.witness))
    return _text_of(error)


def _text_of(error: BaseException) -> str:
    if isinstance(error, _TROUBLE):
        return f"{type(error).__name__}: {error}" if isinstance(error, OSError) else str(error)
    # pytest's own hint would send people to more output, not to more insight.
    return "\n".join(line for line in str(error).strip().splitlines() if line.strip() != "Use -v to get more diff")


def _promise(record: CheckRecord, promise: str) -> list[str]:
    """The promise in the words of the guarantees, or else the check's claim and where Kafka says so."""
    if promise:
        return _wrapped("Kafka promises: ", promise.rstrip(".") + ".")
    header: Header = record.header
    said = f" ({header.kafka_says.rstrip('.')})" if header.kafka_says else ""
    return _wrapped("Kafka promises: ", (record.sentence or header.claim).rstrip(".") + f"{said}.")


def _next_steps(record: CheckRecord) -> list[str]:
    lines = []
    if (bug := record.known_bug) is not None:
        lines += _wrapped("Known bug: ", f"{bug.id}, of Kafka {', '.join(bug.releases)}: {bug.sentence}")
        lines += [f"  {'More':<11}{place}" for place in (bug.link, bug.script) if place]
    if record.claims:
        lines.append(f"  Claims     {' '.join(record.claims)}   (what they mean: {as_typed('harness list claims')})")
    lines.append(f"  Rerun      {record.rerun}")
    if record.folder is not None:
        if record.folder.history_path.is_file():
            lines.append(f"  Re-judge   {as_typed('harness judge', record.shown_folder)}")
        lines.append(f"  Evidence   {record.shown_folder}")
    return lines


def _wrapped(label: str, text: str) -> list[str]:
    """A labelled text; its own line ends stay."""
    lines: list[str] = []
    for number, part in enumerate(text.splitlines() or [""]):
        first = f"  {label}" if number == 0 else "    "
        lines += textwrap.wrap(part, _WIDTH, initial_indent=first, subsequent_indent="    ") or [first.rstrip()]
    return lines


def _spread(left: str, right: str) -> str:
    return f"{left}{' ' * max(2, _WIDTH - len(left) - len(right))}{right}".rstrip()


def skip_lines(records: Sequence[CheckRecord]) -> list[str]:
    """Why checks were skipped, each reason once with how many it kept out."""
    reasons = Counter(record.skip_reason for record in records if record.outcome is Outcome.SKIPPED)
    return [f"skipped {count:>4,}   {reason}" for reason, count in reasons.most_common()]


def loss_lines(records: Sequence[CheckRecord]) -> list[str]:
    """Acknowledged records that were lost where the settings allow it, a line for each fault."""
    return [
        f"lost           {record.check} [{record.target}]  {sentence}"
        for record in records
        if record.outcome is Outcome.HELD
        for sentence in loss_sentences(record.measures, only_lost=True)
    ]


def area_lines(records: Sequence[CheckRecord], *, is_plain: bool = False) -> list[tuple[str, bool]]:
    """A bar for each area of guarantees on each target: (line, whether nothing in it fails the run)."""
    rows: dict[tuple[str, str], Counter[Outcome]] = {}
    for record in records:
        rows.setdefault((record.area, record.target), Counter())[record.outcome] += 1
    several = len({target for _, target in rows}) > 1
    wide = max((len(area) for area, _ in rows), default=0)
    wider = max((len(target) for _, target in rows), default=0) if several else 0
    lines = []
    for (area, target), counts in rows.items():
        ran = sum(count for outcome, count in counts.items() if outcome is not Outcome.SKIPPED)
        held = counts[Outcome.HELD]
        full = _BAR * held // ran if ran else 0
        bar = ("#" if is_plain else "█") * full + ("." if is_plain else "░") * (_BAR - full)
        parts = [_worded(outcome, counts[outcome]) for outcome in _COUNTED if counts[outcome]]
        name = f"{area:<{wide}}  {target:<{wider}}" if several else f"{area:<{wide}}"
        lines.append(
            (
                f"{name}  {bar}  {(', ' if is_plain else ' · ').join(parts)}",
                not any(outcome.is_failure for outcome in counts),
            )
        )
    return lines


_COUNTED = (
    Outcome.HELD,
    Outcome.BROKEN,
    Outcome.UNKNOWN,
    Outcome.DIFFERS,
    Outcome.KNOWN_BUG,
    Outcome.OBSERVED,
    Outcome.SKIPPED,
)


def _worded(outcome: Outcome, number: int) -> str:
    """ "3 held", "1 differ": a head of a column, and no sentence."""
    return f"{number:,} differ" if outcome is Outcome.DIFFERS else outcome.counted(number)


def counts_line(records: Iterable[CheckRecord], elapsed_s: float, *, is_plain: bool = False) -> str:
    """The one line that says how a run went."""
    kept = list(records)
    counts = Counter(record.outcome for record in kept)
    operations, faults = sum(record.operations for record in kept), sum(record.faults for record in kept)
    parts = [_worded(outcome, counts[outcome]) for outcome in _COUNTED]
    parts += [duration_text(elapsed_s), _counted(operations, "operation"), _counted(faults, "fault")]
    return (", " if is_plain else " · ").join(parts)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def duration_text(seconds: float) -> str:
    """ "41 s", "2 m 41 s", "1 h 02 m"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} m"
