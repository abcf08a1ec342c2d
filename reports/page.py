"""The summary page: one file that opens from disk, without a server or a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.judging.outcome import Outcome
from reference_broker.command_line import as_typed
from reports.accidents import PAGE as ACCIDENTS_PAGE
from reports.attention import attention
from reports.comparison import difference_rows, difference_section
from reports.details import check_section
from reports.document import document
from reports.known_bugs import PAGE as KNOWN_BUGS_PAGE
from reports.markup import badge, command, element, facts, link, table, text
from reports.matrix import PAGE as MATRIX_PAGE
from reports.promises import claims_section, promise_tables
from reports.results import Results, shown_path
from reports.style import SCRIPT
from reports.words import count, date_and_time, duration, title

ALLURE_PAGE = "allure-report/index.html"
"""Where `build` puts Allure's report, below the run's folder."""
_SHOWN_ELSEWHERE = {
    "seed",
    "targets",
    "versions",
    "clients",
    "rerun",
    "command",
    "started_at_ms",
    "elapsed_s",
    "known_bugs",
}


def page(results: Results) -> str:
    """The page as HTML."""
    differences = count(len(difference_rows(results)))
    if differences != "0" and not results.counts()["differs"]:
        differences += ", all accepted"
    counts = results.counts()
    sections = [
        ("guarantees", "Guarantees", promise_tables(results)),
        ("differences", f"Differences ({differences})", difference_section(results)),
        ("skipped", f"Skipped ({count(counts['skipped'])})", _skipped(results)),
        ("checks", f"Checks ({count(len(results.results))})", _filter() + check_section(results)),
        ("claims", "Claims", claims_section(results)),
        ("environment", "Environment", _environment(results)),
    ]
    links = "".join(link(f"#{anchor}", text(name)) for anchor, name, _ in sections)
    if (results.path / MATRIX_PAGE).is_file():
        links += link(MATRIX_PAGE, "Compatibility matrix")
    if (results.path / ACCIDENTS_PAGE).is_file():
        links += link(ACCIDENTS_PAGE, "Kafka's accidents")
    if (results.path / KNOWN_BUGS_PAGE).is_file():
        links += link(KNOWN_BUGS_PAGE, "Known bugs")
    if (results.path / ALLURE_PAGE).is_file():
        links += link(ALLURE_PAGE, "Allure report")
    body = "".join(
        element("section", element("h2", text(name)), content, id=anchor) for anchor, name, content in sections
    )
    top = element("header", _top(results), element("nav", links, aria_label="Sections"))
    foot = element("footer", _footer(results))
    return document(_headline(results), top, element("main", body), foot, f"<script>{SCRIPT}</script>")


def _headline(results: Results) -> str:
    counts = results.counts()
    worst = results.worst
    if worst is Outcome.BROKEN:
        promises = len({result.sentence for result in results.results if result.outcome is Outcome.BROKEN})
        in_checks = f", in {count(counts['broken'], 'check')}" if counts["broken"] > promises else ""
        return f"{count(promises, 'promise')} broken{in_checks}"
    if worst is Outcome.DIFFERS:
        return f"{count(counts['differs'], 'check')} differ" + ("s" if counts["differs"] == 1 else "")
    if worst is Outcome.UNKNOWN:
        return f"{count(counts['unknown'], 'check')} could not conclude"
    if worst is Outcome.KNOWN_BUG:
        return f"{count(counts['held'], 'check')} held, {worst.counted(counts[worst.value])}"
    if worst is Outcome.OBSERVED:
        return f"{count(counts['held'], 'check')} held, {count(counts['observed'])} only observed"
    if worst is Outcome.HELD:
        return f"{'The one check' if counts['held'] == 1 else 'All ' + count(counts['held'], 'check')} held"
    return "No check ran"


def _top(results: Results) -> str:
    counts = results.counts()
    targets = " and ".join(_named(results, target) for target in results.targets) or "no target"
    shown = [(outcome, counts[outcome.value]) for outcome in (Outcome.HELD, *Outcome)]
    listed = dict.fromkeys(outcome for outcome, number in shown if number or outcome in (Outcome.HELD, Outcome.BROKEN))
    badges = "".join(
        element("li", badge(outcome, outcome.counted(counts[outcome.value]), is_calm=not counts[outcome.value]))
        for outcome in listed
    )
    observations = sum(result.observations for result in results.results)
    totals = (
        f"{duration(results.elapsed_s)} · {count(int(results.total('operations')), 'operation')} · "
        f"{count(observations, 'observation') + ' · ' if observations else ''}"
        f"{count(int(results.total('faults')), 'fault')} · seed {results.seed}"
    )
    return (
        element("h1", text(_headline(results)))
        + element("p", f"Apache Kafka verification of {text(targets)}")
        + element("ul", badges, class_="counts")
        + element("p", text(totals), class_="soft")
        + attention(results)
    )


def _named(results: Results, target: str) -> str:
    version = results.versions.get(target, "")
    return f"{target} ({version})" if version and version not in target else target


def _filter() -> str:
    return (
        '<div class="tools"><label for="filter">Filter</label>'
        '<input id="filter" type="search" placeholder="broken, kafka@4.3.1, kill …">'
        '<span id="left" class="soft" role="status"></span></div>'
    )


def _skipped(results: Results) -> str:
    skipped = [result for result in results.results if result.outcome is Outcome.SKIPPED]
    if not skipped:
        return element("p", "Nothing was skipped.")
    by_reason: dict[str, list[str]] = {}
    for result in skipped:
        name = f"{result.meta.check} ({result.meta.target})" if result.meta.target else result.meta.check
        by_reason.setdefault(result.reason, []).append(link(f"#{result.anchor}", text(name)))
    rows = [[text(reason), count(len(names)), "<br>".join(names)] for reason, names in by_reason.items()]
    return table(["reason", "checks", "which"], rows)


def _environment(results: Results) -> str:
    targets = [("target", text(_named(results, target))) for target in results.targets]
    clients = sorted({result.meta.client for result in results.results if result.meta.client})
    known = [
        ("run", element("code", text(shown_path(results.path)))),
        ("started", text(_started(results))),
        *targets,
        ("clients", text(", ".join(clients))),
        ("seed", text(results.seed)),
    ]
    about = [(_label(name), text(_plain(said))) for name, said in results.about.items() if name not in _SHOWN_ELSEWHERE]
    again = str(results.about.get("rerun") or results.about.get("command") or "")
    return facts([*known, *about]) + (element("h4", "Run it all again") + command(again) if again else "")


def _started(results: Results) -> str:
    said = results.about.get("started_at_ms")
    return date_and_time(said) if isinstance(said, int | float) and said else ""


def _label(name: str) -> str:
    """ "duration_s" as "duration (s)"."""
    stem = name.removesuffix("_s")
    return title(stem).lower() + (" (s)" if stem != name else "")


def _plain(said: Any) -> str:
    if isinstance(said, Mapping):
        return ", ".join(f"{key} {_plain(value)}" for key, value in said.items())
    if isinstance(said, list | tuple):
        return ", ".join(_plain(value) for value in said)
    return str(said)


def _footer(results: Results) -> str:
    again = as_typed("harness report", shown_path(results.path))
    moment = "Times are milliseconds since the start of a check's history, with the time of day in this machine's zone."
    return element("p", f"{text(moment)} Build this page again: {element('code', text(again))}", class_="soft")
