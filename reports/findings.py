"""What a report shows of one check that has a history: its course, and for each anomaly the evidence around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.history.files import HistoryTrouble
from harness.history.history import History
from harness.history.operations import Operation
from harness.judging.guarantees import ANOMALIES, Guarantees, Standing
from harness.judging.outcome import Outcome
from harness.judging.verdicts import Anomaly
from reports.excerpt import Focus, LogExcerpt, focus_of, history_lines, log_excerpts
from reports.orders import log_strip, order_plot, sightings
from reports.results import Result
from reports.series import Gap, Series, series_of
from reports.svg import Canvas
from reports.words import count, instant, milliseconds, witness_line

SHOWN = 3
"""Kinds of anomalies of one check of which the first gets pictures and an excerpt; the others are listed."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing and what to look for in it."""

    name: str
    canvas: Canvas
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """The row of the guarantee matrix that speaks of an anomaly."""

    anomaly: str
    claim: str
    promise: str
    standing: str
    because: str
    settings: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One anomaly with its evidence."""

    anomaly: Anomaly
    witness: tuple[str, ...]
    moment_ms: float | None = None
    """When it began, since the start of the history."""
    rule: RuleRow | None = None
    slice: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All that is shown of one check."""

    series: Series
    findings: tuple[Finding, ...] = ()
    logs: tuple[LogExcerpt, ...] = ()
    trouble: str = ""
    """Why the history cannot be shown, where it cannot."""


def findings_of(result: Result) -> Findings:
    """The evidence of one check. Only one that did not hold has its history and its logs read whole."""
    series = series_of(result.item.history_path) if result.has_history else Series()
    if result.outcome not in (Outcome.BROKEN, Outcome.UNKNOWN, Outcome.DIFFERS, Outcome.KNOWN_BUG):
        return Findings(series=series)
    history, trouble = _history(result)
    operations = history.operations if history else ()
    started = history.started_at_ms if history else 0
    rules = result.rules()
    first = {anomaly.name: anomaly for anomaly in reversed(result.anomalies)}
    whole = [anomaly for anomaly in result.anomalies if anomaly is first[anomaly.name]][:SHOWN]
    found = tuple(
        _finding(anomaly, operations, started, rules, is_whole=any(anomaly is one for one in whole))
        for anomaly in result.anomalies
    )
    logs = _logs(result, [one for one in found if one.moment_ms is not None], series, started)
    return Findings(series=series, findings=found, logs=logs, trouble=trouble)


def _history(result: Result) -> tuple[History | None, str]:
    if not result.has_history:
        return None, ""
    try:
        return result.item.history(), ""
    except HistoryTrouble as trouble:
        return None, str(trouble)


def _finding(
    anomaly: Anomaly, operations: Sequence[Operation], started: int, rules: Guarantees | None, *, is_whole: bool
) -> Finding:
    witness = tuple(witness_line(line, started) for line in anomaly.witness_lines)
    rule = rule_row(anomaly.name, rules) if rules else None
    if not is_whole or not 0 <= anomaly.index < len(operations):
        return Finding(anomaly=anomaly, witness=witness, rule=rule)
    focus = focus_of(anomaly, operations)
    return Finding(
        anomaly=anomaly,
        witness=witness,
        moment_ms=operations[anomaly.index].time_ns / 1e6,
        rule=rule,
        slice=tuple(witness_line(line, started) for line in history_lines(operations, anomaly.index)),
        pictures=_pictures(operations, focus) if focus else (),
    )


def _pictures(operations: Sequence[Operation], focus: Focus) -> tuple[Picture, ...]:
    seen = sightings(operations, focus)
    place = f"{focus.topic}-{focus.partition}"
    strip, plot = log_strip(seen, focus), order_plot(seen, focus)
    made = []
    if strip:
        made.append(Picture("log", strip, f"What each reader saw in {place}, offset by offset."))
    if plot:
        made.append(
            Picture("order", plot, f"Offsets of {place} in the order of time; order holds while the lines rise.")
        )
    return tuple(made)


def rule_row(anomaly: str, rules: Guarantees) -> RuleRow:
    """Where the settings put an anomaly, and why."""
    claim, promise = ANOMALIES.get(anomaly, ("", ""))
    client, topic = rules.client, rules.topic
    settings = [
        f"acks={client.acks}",
        f"enable.idempotence={str(client.is_idempotent).lower()}",
        f"max.in.flight.requests.per.connection={client.in_flight}",
        f"isolation.level={client.isolation}",
        f"replicas={topic.replicas}",
        f"min.insync.replicas={topic.min_insync}",
        f"unclean.leader.election.enable={str(topic.is_unclean).lower()}",
        f"cleanup.policy={','.join(topic.cleanup_policy)}",
    ]
    return RuleRow(
        anomaly=anomaly,
        claim=claim,
        promise=promise,
        standing=rules.standing(anomaly).value,
        because=rules.because(anomaly),
        settings=" ".join(settings),
    )


def tolerated_rows(result: Result) -> list[tuple[str, str]]:
    """(what was found and tolerated, why) of a check."""
    rows = []
    for verdict in result.verdicts:
        if verdict.tolerated:
            first = verdict.tolerated[0].sentence
            why = verdict.reason.removeprefix(f"{Standing.TOLERATED}: ")
            rows.append((f"{verdict.checker}, {count(verdict.count)} found; the first: {first}", why))
    return rows


def _logs(result: Result, found: Sequence[Finding], series: Series, started: int) -> tuple[LogExcerpt, ...]:
    """Logs around the anomalies and the faults that came next to them; around all faults when there is no anomaly."""
    moments = [finding.moment_ms for finding in found if finding.moment_ms is not None]
    bands = [band.start_ms for band in series.bands]
    near = [start for start in bands if any(abs(start - moment) < 10_000 for moment in moments)]
    chosen = sorted({*moments, *(near if moments else bands)})
    return tuple(log_excerpts(result.item.path / "logs", [started + moment for moment in chosen if started]))


def availability(series: Series) -> list[tuple[str, str]]:
    """(role, its longest time without success, and during what)."""
    rows = []
    for role, gap in (("producers", series.produce_gap()), ("consumers", series.consume_gap())):
        if gap is not None:
            rows.append((role, _gap(gap, series)))
    return rows


def _gap(gap: Gap, series: Series) -> str:
    fault = series.fault_of(gap)
    during = f", during: {fault}" if fault else ""
    return f"{milliseconds(gap.length_ms)} from {instant(gap.start_ms, series.started_at_ms)}{during}"


def course(series: Series) -> str:
    """A sentence on what was sent and how long it took."""
    ok = sorted(call.latency_ms for call in series.calls if call.outcome == "ok")
    refused = sum(call.outcome == "fail" for call in series.calls)
    open_ended = sum(call.outcome == "info" for call in series.calls)
    said = f"{count(len(series.calls), 'send')}: {count(len(ok))} acknowledged, {count(refused)} refused"
    said += f", {count(open_ended)} without a known outcome"
    if ok:
        middle, late = ok[len(ok) // 2], ok[min(len(ok) - 1, int(len(ok) * 0.99))]
        said += f". Latency: median {milliseconds(middle)}, 99 % within {milliseconds(late)}"
        said += f", slowest {milliseconds(ok[-1])}"
    return said + "."
