"""Allure results written from a stored run: epic = area of guarantees, feature = API or KIP, story = claim.

The model and its file logger are those of allure-python-commons. Each target is an environment of its own, so that
one test shows how it fared on each (`allurerc.mjs`, written beside the results).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from allure_commons.logger import AllureFileLogger
from allure_commons.model2 import (
    Attachment,
    Label,
    Parameter,
    Status,
    StatusDetails,
    TestResult,
    TestStepResult,
)

from reports.findings import Findings, findings_of
from reports.results import Outcome, Result, Results
from reports.timeline import timeline
from reports.words import title

RESULTS = "allure-results"
CONFIGURATION = "allurerc.mjs"
REPORT = "allure-report"
HISTORY = "allure-history.jsonl"
"""Beside the runs, so that a report shows how the earlier ones went."""

CATEGORIES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Broken promise", "^Broken promise", ("failed",)),
    ("Differs between targets", "^Differs", ("failed",)),
    ("Unknown: nothing was proved", "^Unknown", ("broken",)),
    ("Harness trouble", "^Harness trouble", ("broken",)),
)
"""(name, how its messages start, Allure's statuses)."""
_STATUS = {
    Outcome.HELD: Status.PASSED,
    Outcome.BROKEN: Status.FAILED,
    Outcome.DIFFERS: Status.FAILED,
    Outcome.UNKNOWN: Status.BROKEN,
    Outcome.SKIPPED: Status.SKIPPED,
}
_SEVERITIES = ("blocker", "critical", "normal", "minor", "trivial")
_TEXT, _PICTURE, _JSON = ("text/plain", "txt"), ("image/svg+xml", "svg"), ("application/json", "json")


def write(results: Results) -> int:
    """Replaces the run's Allure results and configuration; how many results there are."""
    folder = results.path / RESULTS
    logger: Any = AllureFileLogger(folder, clean=True)  # type: ignore[no-untyped-call]
    for result in results.results:
        logger.report_result(_Writer(logger, results, result).made())
    _write_environment(folder, results)
    categories = [
        {"name": name, "messageRegex": f"{start}[\\s\\S]*", "matchedStatuses": list(statuses)}
        for name, start, statuses in CATEGORIES
    ]
    (folder / "categories.json").write_text(json.dumps(categories, indent=1), encoding="utf-8")
    (results.path / CONFIGURATION).write_text(configuration(results), encoding="utf-8")
    return len(results.results)


def configuration(results: Results) -> str:
    """Allure's configuration for this run: an environment a target, our categories, one file that opens from disk."""
    names = dict.fromkeys([*results.targets, *(result.meta.target for result in results.results)])
    environments = '    "run": { name: "the run as a whole", matcher: ({ labels }) => '
    environments += '!labels.some((label) => label.name === "target") },\n'
    environments += "\n".join(
        f"    {json.dumps(f'target_{number}')}: {{ name: {json.dumps(name)}, matcher: ({{ labels }}) => "
        f'labels.some((label) => label.name === "target" && label.value === {json.dumps(name)}) }},'
        for number, name in enumerate(name for name in names if name)
    )
    rules = "\n".join(
        f"    {{ name: {json.dumps(name)}, matchers: {{ statuses: {json.dumps(list(statuses))}, message: /{start}/ }}, "
        'groupBy: ["environment"] },'
        for name, start, statuses in CATEGORIES
    )
    appends = "false" if (results.path / REPORT).exists() else "true"
    return f"""// Written by `python -m harness report` for this run.
export default {{
  name: {json.dumps(_report_name(results), ensure_ascii=False)},
  historyPath: {json.dumps(f"../{HISTORY}")},
  appendHistory: {appends},
  environments: {{
{environments}
  }},
  categories: [
{rules}
  ],
  plugins: {{
    awesome: {{
      options: {{ singleFile: true, reportLanguage: "en", theme: "auto", groupBy: ["epic", "feature", "story"] }},
    }},
  }},
}};
"""


def _report_name(results: Results) -> str:
    return f"Apache Kafka verification: {', '.join(results.targets) or 'no target'}, seed {results.seed}"


def _write_environment(folder: Path, results: Results) -> None:
    """environment.properties: what Allure shows of where the run took place."""
    pairs: dict[str, str] = {"seed": str(results.seed), "targets": ", ".join(results.targets)}
    pairs |= {f"version.{target}": version for target, version in results.versions.items()}
    for name, said in results.about.items():
        if name not in ("targets", "versions", "seed"):
            pairs[name] = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False, default=str)
    lines = (f"{_key(name)}={_one_line(said)}" for name, said in pairs.items())
    (folder / "environment.properties").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _key(name: str) -> str:
    """A name that a properties file takes: the characters that would end it are replaced."""
    return name.replace("=", "_").replace(":", "_").replace(" ", "_")


def _one_line(said: str) -> str:
    return said.replace("\\", "\\\\").replace("\n", " ")


class _Writer:
    """Makes one result and writes its attachments."""

    def __init__(self, logger: Any, results: Results, result: Result) -> None:
        self._logger = logger
        self._results = results
        self._result = result

    def made(self) -> TestResult:
        """The result, ready to be written."""
        result, meta = self._result, self._result.meta
        found = findings_of(result)
        start, stop = self._times(found)
        made = TestResult(
            uuid=str(uuid.uuid4()),
            name=title(result.base.rpartition("/")[2].replace("::", ": "))
            + (f" [{result.parameters}]" if result.parameters else ""),
            fullName=meta.check,
            # One test, several environments: the target is no part of this identity, but of the history's.
            testCaseId=meta.check,
            historyId=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{meta.check} {meta.client} {meta.target}")),
            status=_STATUS[result.outcome],
            statusDetails=self._details(),
            stage="finished",
            description=self._description(),
            labels=self._labels(),
            parameters=self._parameters(),
            steps=self._steps(start),
            start=start,
            stop=stop,
        )
        made.attachments = self._attachments(found)
        return made

    def _times(self, found: Findings) -> tuple[int, int]:
        """(start, stop) in ms since 1970: of the history, or up to the moment when the result was stored."""
        length = int(self._result.meta.duration_s * 1000)
        if found.series.started_at_ms:
            return found.series.started_at_ms, found.series.started_at_ms + length
        stored = self._result.item.path / "meta.json"
        stop = int(stored.stat().st_mtime * 1000) if stored.is_file() else 0
        return max(0, stop - length), stop

    def _details(self) -> StatusDetails | None:
        result = self._result
        trace = result.text("failure") or None
        if result.outcome is Outcome.BROKEN:
            return StatusDetails(message=f"Broken promise: {result.happened or result.sentence}", trace=trace)
        if result.outcome is Outcome.DIFFERS:
            names = "; ".join(one.name for one in result.differences if not one.accepted_by)
            return StatusDetails(message=f"Differs: {names or result.sentence}", trace=trace)
        if result.outcome is Outcome.UNKNOWN:
            word = "Unknown" if any(not verdict.is_valid for verdict in result.verdicts) else "Harness trouble"
            return StatusDetails(message=f"{word}: {result.reason}", trace=trace)
        if result.outcome is Outcome.SKIPPED:
            return StatusDetails(message=result.reason)
        return None

    def _description(self) -> str:
        result = self._result
        parts = (
            ("Claim", result.sentence),
            ("Why it matters", result.text("why")),
            ("Kafka says", result.text("kafka_says")),
            ("What a pass does not prove", result.text("cannot_see")),
        )
        return "\n\n".join(f"**{name}.** {said}" for name, said in parts if said)

    def _labels(self) -> list[Label]:
        result, meta = self._result, self._result.meta
        severity = result.text("severity")
        pairs = [
            ("epic", title(result.area)),
            ("feature", result.text("feature") or title(result.file.rpartition("/")[2])),
            ("story", result.sentence),
            ("severity", severity if severity in _SEVERITIES else "normal"),
            ("target", meta.target),
            ("client", meta.client),
            ("seed", str(meta.seed)),
            ("framework", "pytest"),
            ("language", "python"),
            *(("tag", claim) for claim in meta.claim.replace(",", " ").split()),
        ]
        return [Label(name=name, value=value) for name, value in pairs if value]

    def _parameters(self) -> list[Parameter]:
        meta = self._result.meta
        pairs = [
            ("target", meta.target),
            ("version", meta.version),
            ("client", meta.client),
            ("seed", str(meta.seed)),
            ("variant", self._result.parameters),
            ("operations", f"{meta.operations:,}" if meta.operations else ""),
            ("faults", f"{meta.faults:,}" if meta.faults else ""),
        ]
        # Allure tells histories apart by the parameters that are not excluded: each target and client has its own.
        return [
            Parameter(name=name, value=value, excluded=name not in ("target", "client"))
            for name, value in pairs
            if value
        ]

    def _steps(self, start: int) -> list[TestStepResult]:
        """The phases, with their times; steps without times where there are no phases."""
        last = len(self._result.phases) - 1
        status = _STATUS[self._result.outcome]
        steps = [
            TestStepResult(
                name=phase.name,
                status=status if number == last else Status.PASSED,
                stage="finished",
                start=start + int(phase.start_s * 1000),
                stop=start + int(phase.stop_s * 1000),
            )
            for number, phase in enumerate(self._result.phases)
        ]
        named = self._result.more.get("steps")
        if steps or not isinstance(named, list):
            return steps
        return [TestStepResult(name=_step_name(step), status=status, stage="finished") for step in named]

    def _attachments(self, found: Findings) -> list[Attachment]:
        result = self._result
        made = []
        for number, finding in enumerate(found.findings, 1):
            of = f" {number}" if len(found.findings) > 1 else ""
            lines = [finding.anomaly.sentence, "", *finding.witness]
            if finding.rule:
                rule = finding.rule
                lines += ["", f"{rule.anomaly} is {rule.standing}: {rule.because}", f"settings: {rule.settings}"]
            made.append(self._attach(f"Witness{of}", "\n".join(lines)))
            made += [
                self._attach(f"Picture{of}: {drawn.name}", drawn.canvas.alone(), _PICTURE) for drawn in finding.pictures
            ]
            if finding.slice:
                made.append(self._attach(f"History around it{of}", "\n".join(finding.slice)))
        drawn = timeline(found.series)
        if drawn is not None:
            made.append(self._attach("Picture: timeline", drawn.alone(), _PICTURE))
        made += [self._attach(f"Log: {excerpt.name}", "\n".join(excerpt.lines)) for excerpt in found.logs]
        if result.differences:
            data = [
                {"name": one.name, "values": dict(one.values), "exchange": one.exchange, "accepted by": one.accepted_by}
                for one in result.differences
            ]
            made.append(self._attach("Differences", json.dumps(data, indent=1, ensure_ascii=False), _JSON))
        if result.outcome not in (Outcome.HELD, Outcome.SKIPPED):
            again = f"python -m harness judge {result.path}" if result.has_history else ""
            made.append(self._attach("Run it again", "\n".join(filter(None, (result.meta.rerun, again)))))
        return made

    def _attach(self, name: str, body: str, kind: tuple[str, str] = _TEXT) -> Attachment:
        file = f"{uuid.uuid4()}-attachment.{kind[1]}"
        self._logger.report_attached_data(body, file)
        return Attachment(name=name, source=file, type=kind[0])


def _step_name(step: Any) -> str:
    return str(step.get("name", step)) if isinstance(step, Mapping) else str(step)
