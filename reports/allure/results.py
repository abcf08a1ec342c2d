"""One Allure result for each check on each target: epic = area of guarantees, feature = API or KIP, story = claim.

The model and its file logger are those of allure-python-commons. Each target is an environment of its own, so that
one test shows how it fared on each (`allurerc.mjs`).
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
    Link,
    Parameter,
    Status,
    StatusDetails,
    TestResult,
    TestStepResult,
)

from harness.history.whole_file import write_whole
from harness.judging.outcome import Outcome
from reference_broker.command_line import as_typed
from reports.allure.configuration import CONFIGURATION, categories, configuration
from reports.findings import SHOWN, Finding, Findings, availability, course, findings_of
from reports.log_bounds import log_bounds
from reports.results import Result, Results
from reports.timeline import timeline
from reports.words import count, title

RESULTS = "allure-results"
_STATUS = {
    Outcome.HELD: Status.PASSED,
    Outcome.BROKEN: Status.FAILED,
    Outcome.DIFFERS: Status.FAILED,
    Outcome.UNKNOWN: Status.BROKEN,
    Outcome.KNOWN_BUG: Status.FAILED,
    Outcome.OBSERVED: Status.UNKNOWN,
    Outcome.SKIPPED: Status.SKIPPED,
}
_SEVERITIES = ("blocker", "critical", "normal", "minor", "trivial")
_TEXT, _PICTURE, _JSON = ("text/plain", "txt"), ("image/svg+xml", "svg"), ("application/json", "json")


def write(results: Results, folder: Path | None = None) -> int:
    """Replaces the run's Allure results and configuration, or adds them to a folder; how many results there are.

    A folder that was named keeps what else is in it, as `--alluredir` does, and holds the configuration itself.
    """
    place = folder or results.path / RESULTS
    logger: Any = AllureFileLogger(place, clean=folder is None)  # type: ignore[no-untyped-call]
    for result in results.results:
        logger.report_result(_Writer(logger, results, result).made())
    _write_environment(place, results)
    write_whole(place / "categories.json", json.dumps(categories(), indent=1))
    write_whole((results.path if folder is None else place) / CONFIGURATION, configuration(results))
    return len(results.results)


def _write_environment(folder: Path, results: Results) -> None:
    """environment.properties: what Allure shows of where the run took place."""
    pairs: dict[str, str] = {"seed": str(results.seed), "targets": ", ".join(results.targets)}
    pairs |= {f"version.{target}": version for target, version in results.versions.items()}
    for name, said in results.about.items():
        if name in ("targets", "versions", "seed", "started_at_ms", "known_bugs"):  # told above, and by Allure itself
            continue
        if isinstance(said, list):
            said = " ".join(map(str, said))
        pairs[name] = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False, default=str)
    lines = (f"{_key(name)}={_one_line(said)}" for name, said in pairs.items())
    write_whole(folder / "environment.properties", "\n".join(lines) + "\n")


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
            links=self._links(),
            parameters=self._parameters(),
            steps=self._steps(start, found),
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
        if result.known_bug is not None:
            said = result.happened or result.sentence
            return StatusDetails(known=True, message=f"Known bug {result.known_bug.id}: {said}", trace=trace)
        if result.outcome is Outcome.UNKNOWN:
            word = "Unknown" if any(not verdict.is_valid for verdict in result.verdicts) else "Harness trouble"
            return StatusDetails(message=f"{word}: {result.reason}", trace=trace)
        if result.outcome is Outcome.OBSERVED:
            return StatusDetails(message=f"Observed: {result.reason}")
        if result.outcome is Outcome.SKIPPED:
            return StatusDetails(message=result.reason)
        return None

    def _description(self) -> str:
        result = self._result
        parts = (
            ("Claim", result.sentence),
            ("All claims of its file", result.file_claim),
            ("Why it matters", result.text("why")),
            ("Kafka says", result.text("kafka_says")),
            ("Known bug", result.reason if result.known_bug is not None else ""),
            ("What a pass does not prove", result.text("cannot_see")),
        )
        return "\n\n".join(f"**{name}.** {said[:1].upper()}{said[1:]}" for name, said in parts if said)

    def _links(self) -> list[Link]:
        found = [Link(type=link.kind, url=link.url, name=link.name) for link in self._result.links]
        bug = self._result.known_bug
        if bug is not None and bug.link:
            found.append(Link(type="issue", url=bug.link, name=bug.id))
        return found

    def _labels(self) -> list[Label]:
        result, meta = self._result, self._result.meta
        severity = result.text("severity")
        pairs = [
            ("epic", title(result.area)),
            ("feature", result.text("feature") or title(result.file.rpartition("/")[2])),
            ("story", result.sentence),
            ("parentSuite", title(result.area)),
            ("suite", title(result.file.rpartition("/")[2])),
            ("subSuite", title(result.function)),
            ("severity", severity if severity in _SEVERITIES else "normal"),
            ("target", meta.target),
            ("client", meta.client),
            ("seed", str(meta.seed)),
            ("framework", "pytest"),
            ("language", "python"),
            *(("tag", claim) for claim in meta.claim.replace(",", " ").split()),
            *(("tag", link.name) for link in result.links),
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

    def _steps(self, start: int, found: Findings) -> list[TestStepResult]:
        """The phases, with their times and the faults in them; steps without times where there are no phases."""
        status = _STATUS[self._result.outcome]
        steps = [
            _step(phase.name, status if phase.has_failed else Status.PASSED, start, phase.start_s, phase.stop_s)
            for phase in self._result.phases
        ]
        for phase, step in zip(self._result.phases, steps, strict=True):
            step.steps = [
                _step(
                    f"fault: {band.what or band.fault}", Status.PASSED, start, band.start_ms / 1e3, band.stop_ms / 1e3
                )
                for band in found.series.bands
                if phase.start_s <= band.start_ms / 1e3 < phase.stop_s
            ] + [
                _step(change.told, Status.PASSED, start, change.start_ms / 1e3, change.stop_ms / 1e3)
                for change in found.series.changes
                if phase.start_s <= change.start_ms / 1e3 < phase.stop_s
            ]
        named = self._result.more.get("steps")
        if steps or not isinstance(named, list):
            return steps
        return [TestStepResult(name=_step_name(step), status=status, stage="finished") for step in named]

    def _attachments(self, found: Findings) -> list[Attachment]:
        result = self._result
        made = []
        for number, finding in enumerate(found.findings[:SHOWN], 1):
            of = f" {number}" if len(found.findings) > 1 else ""
            made.append(self._attach(f"Witness{of}", "\n".join(_witness(finding))))
            made += [
                self._attach(f"Picture{of}: {drawn.name}", drawn.canvas.alone(), _PICTURE) for drawn in finding.pictures
            ]
            if finding.slice:
                made.append(self._attach(f"History around the anomaly{of}", "\n".join(finding.slice)))
        if more := found.findings[SHOWN:]:
            listed = "\n\n\n".join("\n".join(_witness(finding)) for finding in more)
            made.append(self._attach(f"{count(len(more))} more witnesses", listed))
        drawn = timeline(found.series)
        if drawn is not None:
            made.append(self._attach("Picture: timeline", drawn.alone(), _PICTURE))
            gaps = [f"longest time without success, {role}: {gap}" for role, gap in availability(found.series)]
            made.append(self._attach("Figures", "\n".join((course(found.series), *gaps))))
        if (bounds := log_bounds(result.more)) is not None:
            made.append(self._attach("Picture: the logs over time", bounds.alone(), _PICTURE))
        made += [self._attach(f"Log: {excerpt.name}", "\n".join(excerpt.lines)) for excerpt in found.logs]
        if result.differences:
            data = [
                {"name": one.name, "values": dict(one.values), "exchange": one.exchange, "accepted by": one.accepted_by}
                for one in result.differences
            ]
            made.append(self._attach("Differences", json.dumps(data, indent=1, ensure_ascii=False), _JSON))
        if result.outcome.is_failure or result.known_bug is not None:
            again = as_typed("harness judge", str(result.path)) if result.has_history else ""
            made.append(self._attach("Run it again", "\n".join(filter(None, (result.meta.rerun, again)))))
        return made

    def _attach(self, name: str, body: str, kind: tuple[str, str] = _TEXT) -> Attachment:
        file = f"{uuid.uuid4()}-attachment.{kind[1]}"
        self._logger.report_attached_data(body, file)
        return Attachment(name=name, source=file, type=kind[0])


def _witness(finding: Finding) -> list[str]:
    """An anomaly in words, what proves it, and the rule that forbids it."""
    lines = [finding.anomaly.sentence, "", *finding.witness]
    if finding.rule:
        rule = finding.rule
        lines += ["", f"{rule.anomaly} is {rule.standing}: {rule.because}", f"settings: {rule.settings}"]
    return lines


def _step(name: str, status: str, start: int, start_s: float, stop_s: float) -> TestStepResult:
    return TestStepResult(
        name=name,
        status=status,
        stage="finished",
        start=start + int(start_s * 1000),
        stop=start + int(stop_s * 1000),
    )


def _step_name(step: Any) -> str:
    return str(step.get("name", step)) if isinstance(step, Mapping) else str(step)
