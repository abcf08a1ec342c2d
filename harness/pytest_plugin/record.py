"""What the plugin knows of one check on one target, from its start until it is stored."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import pytest

from harness.catalogue import Header, check_id, one_line
from harness.comparing.observation import Observation
from harness.history.store import Item, Meta, Run, verdict_data
from harness.judging.activity import Needs
from harness.judging.guarantees import ANOMALIES, ClientSettings, FaultEffects, TopicSettings
from harness.judging.outcome import BrokenPromise, Outcome
from harness.judging.verdicts import Validity, Verdict, merged
from harness.known_bugs import KnownBug, bug_said
from harness.pytest_plugin.links import Link, links_of

OBSERVING: Final = ("exchange", "observe")
"""Fixtures whose use makes a check one that can be compared."""


@dataclass(slots=True, kw_only=True)
class CheckRecord:
    """One check on one target. Checks and other plugins add to it while it runs (fixture `record`)."""

    check: str
    """ "durability/acknowledged_records_survive[kill-all]"."""
    target: str
    """The name given with --target; "a | b" for a difference."""
    header: Header
    sentence: str
    """The claim in words."""
    claims: tuple[str, ...] = ()
    feature: str = ""
    severity: str = "normal"
    nodeid: str = ""
    """pytest's id of the item."""
    function: str = ""
    """Name of the test function."""
    observes: bool = False
    """Whether it uses a fixture that observes, so that targets can be compared."""
    client: str = ""
    rerun: str = ""
    version: str = ""
    outcome: Outcome = Outcome.UNKNOWN
    failure: tuple[str, ...] = ()
    """The lines that are shown of what did not hold."""
    happened: str = ""
    """What the check itself said of it: of these lines those that are not its name, its claim or a command."""
    known_bug: KnownBug | None = None
    """What broke it, where its outcome is that."""
    skip_reason: str = ""
    lacking: str = ""
    """The means for want of which it was skipped; empty when it was skipped for another reason."""
    observed_reason: str = ""
    """Why its coming to its end proves nothing, in a sentence; empty where something judged what it saw."""
    verdicts: tuple[Verdict, ...] = ()
    client_settings: ClientSettings | None = None
    topic_settings: TopicSettings | None = None
    fault_effects: FaultEffects | None = None
    needs: Needs | None = None
    availability: list[Mapping[str, Any]] = field(default_factory=list)
    measures: Mapping[str, Any] = field(default_factory=dict)
    operations: int = 0
    faults: int = 0
    links: tuple[Link, ...] = ()
    """Where its promise is told."""
    observed: list[Observation] = field(default_factory=list)
    """What came of its requests, to be compared between targets."""
    observations: int = 0
    compared_with: str = ""
    """The recording that it was compared with: "recorded kafka@4.3.1"."""
    differences: list[Mapping[str, Any]] = field(default_factory=list)
    phases: list[Mapping[str, Any]] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    log_bounds: dict[str, list[tuple[float, int, int, int]]] = field(default_factory=dict)
    """Topic → (ms since it was first looked at, log start offset, log end offset, bytes), to be drawn."""
    log_events: list[tuple[float, str]] = field(default_factory=list)
    """(ms, what the operator did to those logs)."""
    duration_s: float = 0.0
    started: float = field(default_factory=time.monotonic)
    folder: Item | None = None
    shown_folder: str = ""
    """Its folder as people would type it."""
    not_stored: str = ""
    """Why it could not be stored, or not all of it."""

    @property
    def path(self) -> str:
        """The file of checks, as pytest names it."""
        return self.nodeid.partition("::")[0]

    @property
    def area(self) -> str:
        """The first part of its id: "durability"."""
        return self.check.partition("/")[0]

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """A phase of the check, named and timed; it is told as the one that failed where it raised."""
        start_s = time.monotonic() - self.started
        self.steps.append(what)
        has_failed = True
        try:
            yield
            has_failed = False
        finally:
            stop_s = time.monotonic() - self.started
            phase: dict[str, Any] = {"name": what, "start_s": round(start_s, 3), "stop_s": round(stop_s, 3)}
            self.phases.append(phase | ({"failed": True} if has_failed else {}))

    def open_folder(self, run: Run) -> Item:
        """Its folder in the run, made when first asked for."""
        if self.folder is None:
            self.folder = run.item(self.check, self.target)
        return self.folder

    def meta(self, seed: int) -> Meta:
        """What is stored of it."""
        return Meta(
            check=self.check,
            claim=" ".join(self.claims),
            target=self.target,
            version=self.version,
            client=self.client,
            seed=seed,
            workload="queue" if self.client_settings else "",
            client_settings=asdict(self.client_settings) if self.client_settings else {},
            topic_settings=asdict(self.topic_settings) if self.topic_settings else {},
            fault_effects=asdict(self.fault_effects) if self.fault_effects else {},
            needs=asdict(self.needs) if self.needs else {},
            availability=self.availability,
            measures=self.measures,
            rerun=self.rerun,
            verdict=str(self._validity()),
            verdicts=[verdict_data(verdict) for verdict in self.verdicts],
            duration_s=round(self.duration_s, 3),
            operations=self.operations,
            faults=self.faults,
            more={
                "outcome": str(self.outcome),
                "sentence": self.sentence,
                "title": self.header.title,
                "file_claim": self.header.claim,
                "why": self.header.why,
                "kafka_says": self.header.kafka_says,
                "cannot_see": self.header.cannot_see,
                "feature": self.feature,
                "severity": self.severity,
                "phases": self.phases,
                "steps": self.steps,
                "log_bounds": self.log_bounds,
                "log_events": self.log_events,
                "failure": "\n".join(self.failure),
                "happened": self.happened,
                "known_bug": None if self.known_bug is None else bug_said(self.known_bug),
                "skip_reason": self.skip_reason,
                "lacking": self.lacking,
                "observed_reason": self.observed_reason,
                "observations": self.observations,
                "compared_with": self.compared_with,
                "differences": self.differences,
                "links": [asdict(link) for link in self.links],
            },
        )

    def _validity(self) -> Validity:
        if self.outcome in (Outcome.BROKEN, Outcome.KNOWN_BUG):
            return Validity.INVALID
        if self.outcome is Outcome.HELD:
            return merged(verdict.validity for verdict in self.verdicts) if self.verdicts else Validity.VALID
        return Validity.UNKNOWN


RECORD: pytest.StashKey[CheckRecord] = pytest.StashKey()
"""Where an item keeps its record."""


def record_of(item: pytest.Item) -> CheckRecord:
    """An item's record, made when first asked for."""
    found = item.stash.get(RECORD, None)
    if found is None:
        found = item.stash[RECORD] = _new_record(item)
    return found


def target_name(item: pytest.Item) -> str | None:
    """The target for which an item was made; None when it is for none."""
    callspec = getattr(item, "callspec", None)
    parameter = callspec.params.get("target") if callspec else None
    return None if parameter is None else str(getattr(parameter, "name", parameter))


def variant_of(brackets: str, target: str | None) -> str:
    """The part of an item's id in brackets that does not name the target."""
    if target is None:
        return brackets
    return "" if brackets == target else brackets.removesuffix(f"-{target}")


def check_name(file: str, function: str, variant: str) -> str:
    """The id of a check: "durability/full_disks::a_full_disk[raw]"; the file's name alone where the function has it."""
    stem, name = check_id(file), function.removeprefix("test_")
    named = stem if stem.endswith("/" + name) else f"{stem}::{name}"
    return f"{named}[{variant}]" if variant else named


def _new_record(item: pytest.Item) -> CheckRecord:
    module = getattr(item, "module", None)
    header = Header.of(getattr(module, "__doc__", None))
    own = one_line((getattr(getattr(item, "function", None), "__doc__", None) or "").partition("\n\n")[0])
    function = getattr(item, "originalname", None) or item.name
    callspec, target = getattr(item, "callspec", None), target_name(item)
    brackets = str(callspec.id) if callspec else ""
    claims = {str(word): None for marker in item.iter_markers("claim") for word in marker.args}
    return CheckRecord(
        check=check_name(item.nodeid.partition("::")[0], function, variant_of(brackets, target)),
        target=target or "",
        header=header,
        sentence=own or _sentence(item.nodeid.partition("::")[0], function) or header.claim,
        claims=tuple(claims),
        feature=_word(item, "feature"),
        severity=_word(item, "severity") or ("critical" if claims else "normal"),
        nodeid=item.nodeid,
        function=function,
        observes=target is not None and any(name in OBSERVING for name in getattr(item, "fixturenames", ())),
        links=links_of(item),
    )


def _sentence(file: str, function: str) -> str:
    """A function's name as a sentence; "" for the function that its file is named after, whose claim is the file's."""
    name = function.removeprefix("test_")
    if check_id(file).rpartition("/")[2] == name:
        return ""
    return f"{name[:1].upper()}{name[1:].replace('_', ' ')}."


def _word(item: pytest.Item, marker: str) -> str:
    found = item.get_closest_marker(marker)
    return str(found.args[0]) if found and found.args else ""


def witness_of(verdicts: tuple[Verdict, ...]) -> BrokenPromise | None:
    """The worst anomaly that verdicts hold, as the exception that a check raises."""
    for verdict in verdicts:
        if verdict.validity is Validity.INVALID and verdict.anomalies:
            first = verdict.anomalies[0]
            more = f" ({verdict.count:,} such cases were found; this is the first.)" if verdict.count > 1 else ""
            return BrokenPromise(
                first.sentence + "." + more,
                witness=first.witness_lines,
                promise=f"{ANOMALIES[first.name][1]} ({verdict.reason.removeprefix('forbidden: ')})",
                anomaly=first.name.replace("-", " "),
                claim=first.claim,
                verdicts=verdicts,
            )
    return None
