"""Each check on each target: closed, one line; open, the promise, what happened, the evidence, what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from harness.judging.measures import loss_sentences
from harness.judging.outcome import Outcome
from reference_broker.command_line import as_typed
from reports.comparison import difference_table
from reports.findings import Finding, Findings, availability, course, findings_of, tolerated_rows
from reports.log_bounds import CAPTION, log_bounds
from reports.markup import badge, block, command, element, facts, folded, link, picture, table, text
from reports.parts import KnownBug, Link
from reports.results import GRAVITY, Result, Results
from reports.series import Series
from reports.soak import soak
from reports.timeline import timeline
from reports.words import count, duration, instant, milliseconds, title

_ONE_BY_ONE = 40
"""Checks of an area that are listed one by one; where there are more, those of each file are folded together."""


def check_section(results: Results) -> str:
    """All checks, area by area: first those that did not hold, then by id."""
    made = []
    for area in results.areas():
        made.append(element("h3", text(title(area))))
        of_area = [result for result in results.results if result.area == area]
        of_area.sort(key=lambda result: (result.meta.check, result.meta.target))
        of_area.sort(key=lambda result: min(GRAVITY[result.outcome], GRAVITY[Outcome.OBSERVED]))
        if len(of_area) <= _ONE_BY_ONE:
            made += [check_details(result) for result in of_area]
            continue
        files: dict[str, list[Result]] = {}
        for result in of_area:
            files.setdefault(result.file, []).append(result)
        made += [_file_details(file, of_file) for file, of_file in files.items()]
    return "".join(made)


def _file_details(file: str, results: Sequence[Result]) -> str:
    """The checks of one file, folded."""
    counts = Counter(result.outcome for result in results)
    badges = " ".join(badge(outcome, outcome.counted(counts[outcome])) for outcome in Outcome if counts[outcome])
    head = element("summary", badges, " ", element("span", text(file), class_="name"))
    return element("details", head, *(check_details(result) for result in results), class_="file")


def check_details(result: Result) -> str:
    """One check on one target, folded."""
    words = " ".join(
        (result.meta.check, result.meta.target, result.meta.client, result.outcome, result.sentence)
    ).lower()
    inside = element("div", *_inside(result), class_="inside")
    return (
        f'<details class="check" id="{text(result.anchor)}" data-words="{text(words)}">'
        f"<summary>{_summary(result)}</summary>{inside}</details>"
    )


def _summary(result: Result) -> str:
    meta = result.meta
    said = [duration(meta.duration_s)]
    if meta.operations:
        said.append(count(meta.operations, "operation"))
    if meta.faults:
        said.append(count(meta.faults, "fault"))
    target = element("span", text(meta.target), class_="target") if meta.target else ""
    shown = "" if result.outcome is Outcome.SKIPPED else " · ".join(said)
    name = element("span", text(meta.check), class_="name")
    return f"{badge(result.outcome)} {name} {target} {element('span', text(shown), class_='soft')}"


def _inside(result: Result) -> list[str]:
    meta = result.meta
    if result.outcome is Outcome.SKIPPED:
        return [_promise(result), element("p", f"Skipped: {text(result.reason)}"), _rerun(result)]
    found = findings_of(result)
    parts = [_promise(result)]
    if result.outcome is Outcome.UNKNOWN:
        parts.append(element("p", f"Nothing can be concluded: {text(result.reason)}", class_="happened"))
    if result.outcome is Outcome.OBSERVED:
        parts.append(element("p", f"Observed only: {text(result.reason)}"))
    parts += shown_findings(found)
    parts.append(_failure(result, found))
    if result.differences:
        rows = [(result, difference) for difference in result.differences]
        parts += [element("h4", "Differences"), difference_table(rows)]
    parts.append(_course(result, found))
    parts.append(_log_bounds(result))
    parts.append(_soak(result))
    parts.append(_logs(result, found))
    parts.append(_tolerated(result))
    parts.append(_rerun(result))
    parts.append(
        facts(
            [
                ("target", text(" ".join(filter(None, (meta.target, meta.version and f"({meta.version})"))))),
                ("client", text(meta.client)),
                ("parameters", text(result.parameters)),
                ("seed", text(meta.seed)),
                ("observations", text(count(result.observations)) if result.observations else ""),
                ("phases", text(_phases(result))),
                ("what a pass does not prove", text(result.text("cannot_see"))),
                ("stored in", _files(result)),
            ]
        )
    )
    return parts


def _promise(result: Result) -> str:
    return facts(
        [
            ("claim", text(" ".join(filter(None, (result.sentence, result.meta.claim and f"[{result.meta.claim}]"))))),
            ("all claims of its file", text(result.file_claim)),
            ("why it matters", text(result.text("why"))),
            ("Kafka says", text(result.text("kafka_says"))),
            ("read more", ", ".join(_link(found) for found in result.links)),
            *(known_bug_rows(result.known_bug) if result.known_bug is not None else ()),
        ]
    )


def known_bug_rows(bug: KnownBug) -> list[tuple[str, str]]:
    """What a known bug is, and which releases have it, for `facts`."""
    return [
        ("known bug", _link(Link(name=bug.id, url=bug.link))),
        ("what it is", text(bug.sentence)),
        ("releases", text(", ".join(bug.releases))),
        ("shown by", element("code", text(bug.script)) if bug.script else ""),
    ]


def _link(found: Link) -> str:
    """A link to where a promise is told; a stored run may hold any address, so others than web pages are not linked."""
    return link(found.url, text(found.name)) if found.url.startswith("https://") else text(found.name)


def _phases(result: Result) -> str:
    return " → ".join(
        f"{phase.name} {phase.start_s * 1000:,.0f}–{phase.stop_s * 1000:,.0f} ms" for phase in result.phases
    )


def shown_findings(found: Findings) -> Iterator[str]:
    """The first of each kind of anomaly; the others of the kind open on demand."""
    kinds: dict[str, list[Finding]] = {}
    for finding in found.findings:
        kinds.setdefault(finding.anomaly.name, []).append(finding)
    for name, (first, *others) in kinds.items():
        yield _finding(first, found.series.started_at_ms)
        if others:
            shown = (_finding(other, found.series.started_at_ms) for other in others)
            yield folded(f"{count(len(others))} more of {text(name)}", *shown)


def _finding(finding: Finding, started_at_ms: int) -> str:
    anomaly = finding.anomaly
    when = "" if finding.moment_ms is None else f" · at {instant(finding.moment_ms, started_at_ms)}"
    head = element("p", f"What happened: {text(anomaly.sentence)}.", class_="happened")
    name = element("p", f"{text(anomaly.claim)} {text(anomaly.name)}{when}", class_="soft")
    parts = [head, name]
    if finding.witness:
        parts.append(block(finding.witness, "witness"))
    if finding.rule:
        rule = finding.rule
        parts.append(
            facts(
                [
                    ("promise", text(f"{rule.claim}: {rule.promise}")),
                    ("rule", text(f"{rule.anomaly} is {rule.standing}: {rule.because}")),
                    ("settings", element("code", text(rule.settings))),
                ]
            )
        )
    parts += [picture(drawn.canvas.drawn(), drawn.caption) for drawn in finding.pictures]
    if finding.slice:
        parts.append(folded("History around the anomaly", block(finding.slice, "history")))
    return element("div", *parts, class_="witness")


def _failure(result: Result, found: Findings) -> str:
    """What the terminal showed, and why a history cannot be shown."""
    said = result.text("failure").strip("\n")
    trouble = element("p", f"The history cannot be shown: {text(found.trouble)}") if found.trouble else ""
    if not said:
        return trouble
    shown = block(said.splitlines(), "failure")
    return trouble + (folded("Terminal output", shown) if found.findings else shown)


def _course(result: Result, found: Findings) -> str:
    drawn = timeline(found.series)
    if drawn is None:
        return ""
    said = (
        "Above: how long sends took, the median (dot) and the slowest (line) of each stretch of time. Below: records "
        "acknowledged a second (↑ more than the scale shows). Shaded: from a fault until its heal was verified. "
    )
    if found.series.changes:
        said += "◆ on the axis: a request of an administrator. "
    shown = picture(drawn.drawn(), said + course(found.series))
    gaps = availability(found.series)
    listed = facts([(f"longest time without success, {role}", text(gap)) for role, gap in gaps])
    lost = [("acknowledged records lost", text(sentence)) for sentence in loss_sentences(result.meta.measures)]
    return element("h4", "Under load") + shown + listed + facts(lost) + _changes(found.series)


def _log_bounds(result: Result) -> str:
    drawn = log_bounds(result.more)
    return "" if drawn is None else element("h4", "The logs over time") + picture(drawn.drawn(), CAPTION)


def _soak(result: Result) -> str:
    """What was sampled over a long run, and how each figure was judged."""
    drawn = soak(result.meta.measures)
    if drawn is None:
        return ""
    judged = [row for row in result.meta.measures["soak"].get("judged", ()) if isinstance(row, dict)]
    rows = [("flat" if row.get("is_flat") else "grows", text(row.get("sentence", ""))) for row in judged]
    said = "Sampled while the load went on. Shaded: the nodes were restarted in turn. Judged is the second half."
    return element("h4", "Over time") + picture(drawn.drawn(), said) + facts(rows)


def _changes(series: Series) -> str:
    """What administrators asked the cluster for."""
    rows = [
        [
            text(f"{change.start_ms:,.0f} ms"),
            text(change.what),
            text(change.outcome),
            text(milliseconds(change.took_ms)),
        ]
        for change in series.changes
    ]
    asked = count(len(rows), "request")
    return folded(f"{asked} of administrators", table(["at", "request", "outcome", "took"], rows)) if rows else ""


def _logs(result: Result, found: Findings) -> str:
    parts: list[str] = []
    for excerpt in found.logs:
        where = "around the anomaly and the faults next to it" if excerpt.is_timed else "its last lines"
        name = link(f"{quote(result.anchor)}/logs/{quote(excerpt.name)}", text(excerpt.name))
        head = f"{name}, {count(len(excerpt.lines))} of {count(excerpt.total, 'line')}, {where}"
        parts.append(folded(head, block(excerpt.lines, excerpt.name), is_open=len(parts) == 0))
    return element("h4", "Logs") + "".join(parts) if parts else ""


def _tolerated(result: Result) -> str:
    rows = [[text(what), text(why)] for what, why in tolerated_rows(result)]
    return (
        element("h4", "Found, and allowed by the settings") + table(["found", "why it is allowed"], rows)
        if rows
        else ""
    )


def _rerun(result: Result) -> str:
    parts = []
    if result.meta.rerun:
        parts += [element("h4", "Run it again"), command(result.meta.rerun)]
    if result.has_history:
        parts += [
            element("h4", "Judge its history again"),
            command(as_typed("harness judge", str(result.path))),
        ]
    return "".join(parts)


def _files(result: Result) -> str:
    base = quote(result.anchor)
    named = [link(f"{base}/meta.json", "meta.json")]
    if result.has_history:
        named.append(link(f"{base}/history.jsonl", "history.jsonl"))
    logs = result.item.path / "logs"
    if logs.is_dir():
        named += [link(f"{base}/logs/{quote(log.name)}", text(f"logs/{log.name}")) for log in sorted(logs.iterdir())]
    return f"{element('code', text(result.path))}: {', '.join(named)}"
