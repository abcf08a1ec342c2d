"""A stored run as reports need it: each check on each target with its outcome, tolerant of what older runs lack."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.history.store import Item, Meta, Run, StoreTrouble, verdict_of
from harness.judging.guarantees import Guarantees
from harness.judging.outcome import Outcome
from harness.judging.verdicts import Anomaly, Verdict
from reports.parts import Difference, KnownBug, Link, Phase, stored_bug, stored_difference, stored_link, stored_phase
from reports.stored_values import listed, number, text
from reports.words import title

OUT_MARK = ("reports", "out")
"""The last two folders above a run that stands where runs usually do."""
AREAS = (
    "durability",
    "ordering",
    "transactions",
    "groups",
    "share",
    "retention",
    "metadata",
    "protocol",
    "walkthrough",
)
"""The order in which areas of guarantees are shown; others follow by name."""


GRAVITY = {outcome: rank for rank, outcome in enumerate(Outcome)}
_HAPPENED = re.compile(r"(?:What happened|Nothing is proved|Error in the check itself): (.*(?:\n {4}\S.*)*)")
"""In what the terminal showed: the sentence, and the indented lines on which it goes on."""
_OF_VERDICT = {"valid": "held", "invalid": "broken", "passed": "held", "failed": "broken", "differ": "differs"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One check on one target."""

    item: Item
    meta: Meta
    outcome: Outcome
    verdicts: tuple[Verdict, ...] = ()
    differences: tuple[Difference, ...] = ()
    phases: tuple[Phase, ...] = ()
    known_bug: KnownBug | None = None
    """What broke it, where its outcome is that."""

    @property
    def more(self) -> Mapping[str, Any]:
        """What the plugin added."""
        return self.meta.more

    def text(self, key: str) -> str:
        """A text among what the plugin added, "" where there is none."""
        return text(self.more.get(key))

    @property
    def base(self) -> str:
        """The check's id without its parameters."""
        return self.meta.check.partition("[")[0]

    @property
    def file(self) -> str:
        """Its file of checks: "durability/acked_records_survive"."""
        return self.base.partition("::")[0]

    @property
    def function(self) -> str:
        """The function in that file: "acked_records_survive"."""
        return self.base.rpartition("::")[2].rpartition("/")[2]

    @property
    def links(self) -> tuple[Link, ...]:
        """Where its promise is told, as the check's marker names it."""
        return tuple(stored_link(data) for data in listed(self.more.get("links")) if isinstance(data, Mapping))

    @property
    def parameters(self) -> str:
        """The part of its id in brackets."""
        return self.meta.check.partition("[")[2].rstrip("]")

    @property
    def area(self) -> str:
        """The folder of checks that it belongs to: "durability"."""
        return self.base.partition("/")[0] if "/" in self.base else "other"

    @property
    def sentence(self) -> str:
        """Its claim as a sentence; its name in words where none is stored."""
        return self.text("sentence") or title(self.base.rpartition("/")[2].rpartition("::")[2])

    @property
    def file_claim(self) -> str:
        """All that its file of checks claims; "" where its own sentence is that."""
        said = self.text("file_claim")
        return "" if said == self.sentence else said

    @property
    def anchor(self) -> str:
        """Its name in links: its folder's."""
        return self.item.path.name

    @property
    def anomalies(self) -> tuple[Anomaly, ...]:
        """Those that break a promise."""
        return tuple(anomaly for verdict in self.verdicts for anomaly in verdict.anomalies)

    @property
    def has_history(self) -> bool:
        """Whether there is a history to look at."""
        return self.item.history_path.is_file()

    @property
    def is_comparison(self) -> bool:
        """Whether it compares targets and does not judge one."""
        return " | " in self.meta.target

    @property
    def happened(self) -> str:
        """What broke the promise, or stood in the way, in a sentence; "" where nothing says."""
        if self.anomalies:
            return self.anomalies[0].sentence
        told = _HAPPENED.search(self.text("failure"))
        return " ".join(told.group(1).split()) if told else ""

    @property
    def reason(self) -> str:
        """Why it was skipped, is unknown or was only observed, or by which bug it is broken, in one line."""
        if self.outcome is Outcome.SKIPPED:
            return self.text("skip_reason") or "no reason was stored"
        if self.known_bug is not None:
            return f"{self.known_bug.id}: {self.known_bug.sentence}"
        if self.outcome is Outcome.OBSERVED:
            return self.text("observed_reason") or "nothing judged the answers"
        if self.outcome is Outcome.UNKNOWN:
            said = [verdict.reason for verdict in self.verdicts if not verdict.is_valid and verdict.reason]
            first_line = self.text("failure").strip().partition("\n")[0]
            return "; ".join(said) or self.happened or first_line or "no reason was stored"
        return ""

    @property
    def observations(self) -> int:
        """How many answers of the target it looked at, beside what its history holds."""
        seen = self.more.get("observations")
        return seen if isinstance(seen, int) else 0

    @property
    def path(self) -> str:
        """Its folder as a command names it."""
        return shown_path(self.item.path)

    def rules(self) -> Guarantees | None:
        """What its settings promise; None when they are of another version."""
        try:
            return self.meta.rules()
        except StoreTrouble:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All of a run."""

    path: Path
    about: Mapping[str, Any]
    results: tuple[Result, ...]

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets that were judged, as they were asked for or, failing that, as they come."""
        named = self.about.get("targets")
        asked = [text(name.get("name") if isinstance(name, Mapping) else name) for name in listed(named)]
        found = [result.meta.target for result in self.results if not result.is_comparison and result.meta.target]
        return tuple(name for name in dict.fromkeys((*asked, *found)) if name)

    @property
    def versions(self) -> dict[str, str]:
        """Target → the version that it said."""
        return {r.meta.target: r.meta.version for r in self.results if r.meta.version and not r.is_comparison}

    @property
    def known_bugs(self) -> tuple[KnownBug, ...]:
        """All that checks/known_bugs.toml listed when it ran."""
        return tuple(bug for data in listed(self.about.get("known_bugs")) if (bug := stored_bug(data)) is not None)

    @property
    def seed(self) -> Any:
        """The run's seed; None when nothing tells it."""
        if "seed" in self.about:
            return self.about["seed"]
        return next((result.meta.seed for result in self.results), None)

    def counts(self) -> dict[str, int]:
        """Outcome → how many; all outcomes are named."""
        counts = dict.fromkeys((outcome.value for outcome in (Outcome.HELD, *Outcome)), 0)
        for result in self.results:
            counts[result.outcome.value] += 1
        return counts

    @property
    def worst(self) -> Outcome:
        """The worst outcome; skipped when nothing ran."""
        return gravest(result.outcome for result in self.results)

    @property
    def elapsed_s(self) -> float:
        """How long the run took; where it was cut short, and so does not know, the sum of its checks."""
        said = number(self.about.get("elapsed_s"))
        longest = max((result.meta.duration_s for result in self.results), default=0.0)
        return said if said >= longest else self.total("duration_s")

    def areas(self) -> list[str]:
        """The areas that it has, in the order in which they are shown."""
        found = sorted({result.area for result in self.results})
        return [area for area in AREAS if area in found] + [area for area in found if area not in AREAS]

    def total(self, what: str) -> float:
        """The sum of `operations`, `faults` or `duration_s` over all checks."""
        return float(sum(getattr(result.meta, what) for result in self.results))


def gravest(outcomes: Any) -> Outcome:
    """The worst of some outcomes; skipped when there are none."""
    return min(outcomes, key=GRAVITY.__getitem__, default=Outcome.SKIPPED)


def load(path: Path) -> Results:
    """A run's results. StoreTrouble when the folder holds no run; a damaged check in it becomes unknown."""
    if not path.is_dir():
        raise StoreTrouble(f"{path}: no such folder; give a folder under reports/out (reports/out/latest is the last)")
    run = Run(path)
    try:
        about: Mapping[str, Any] = run.about()
    except StoreTrouble:
        about = {}
    results = [_result(item) for item in run.items()]
    results += [_unfinished(folder) for folder in _without_meta(path)]
    if not results and not about:
        raise StoreTrouble(
            f"{path}: not the folder of a stored run; give one under reports/out (reports/out/latest is the last)"
        )
    return Results(path=path, about=about, results=tuple(results))


def shown_path(path: Path) -> str:
    """A path from `reports` on where it stands there, so that a command reads the same on every machine."""
    parts = path.absolute().parts
    for at in range(len(parts) - 1, 0, -1):
        if parts[at - 1 : at + 1] == OUT_MARK:
            return "/".join(parts[at - 1 :])
    return path.as_posix()


def _result(item: Item) -> Result:
    try:
        meta = item.meta()
        verdicts = tuple(verdict_of(data) for data in meta.verdicts)
    except (StoreTrouble, KeyError, TypeError, ValueError) as trouble:
        return _unreadable(item, f"its stored result cannot be read: {trouble}")
    more = meta.more if isinstance(meta.more, Mapping) else {}
    said = text(more.get("outcome")) or _OF_VERDICT.get(meta.verdict, meta.verdict)
    outcome = Outcome(said) if said in set(Outcome) else Outcome.UNKNOWN
    return Result(
        item=item,
        meta=meta,
        outcome=outcome,
        verdicts=verdicts,
        differences=tuple(stored_difference(data) for data in listed(more.get("differences"))),
        phases=tuple(stored_phase(data) for data in listed(more.get("phases"))),
        known_bug=stored_bug(more.get("known_bug")) if outcome is Outcome.KNOWN_BUG else None,
    )


def _without_meta(path: Path) -> list[Path]:
    """Folders of checks that the harness did not live to finish: a history, and nothing said of it."""
    return [
        found.parent for found in sorted(path.glob("*/history.jsonl")) if not (found.parent / "meta.json").is_file()
    ]


def _unfinished(folder: Path) -> Result:
    return _unreadable(Item(folder), "the run ended while this check was running; run it again")


def _unreadable(item: Item, why: str) -> Result:
    meta = Meta(check=item.path.name, verdict="unknown", more={"failure": why})
    return Result(item=item, meta=meta, outcome=Outcome.UNKNOWN)
