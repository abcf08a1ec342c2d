"""Runs of checks on planted bugs: what the headers of plants promise, and how the checks that they name have ended.

The checks run as a user would run them, some at a time, against the targets `planted@NAME` and `reference`; but each
process, of pytest as of a broker, is forked by one that has done all the imports (tests/warm_process.py).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.hosts.lack import Lack, Means
from harness.pytest_plugin.lacking import skip_for
from harness.targets.jars import libs_folder
from harness.targets.kafka_tools import TOOLS_VERSION
from tests.plants._catalogue import places, rejecting_checks
from tests.warm_process import PLACE, Forked, warm_process

ROOT = Path(__file__).resolve().parents[2]
AT_ONCE = 4
"""Most of a run is waiting, so there may be more of them than cores."""
TIMEOUT_S = 120.0
TIMEOUT_OF_EACH_S = 10.0
"""Only a run that hangs takes longer: one of a hundred checks is slow on a machine that does much else."""
DURATION_S = "2"


@dataclass(frozen=True, slots=True)
class Case:
    """A plant, a check that must reject it, and words that must stand in what the check says then."""

    plant: str
    check: str
    evidence: str

    def __str__(self) -> str:
        return f"{self.plant}-{Path(self.check.partition('::')[0]).stem}"


def cases(folder: Path) -> list[Case]:
    """What the headers of a folder's plants promise of checks."""
    return [
        Case(name, check, evidence)
        for name, path in places().items()
        if path.parent == folder
        for check, evidence in rejecting_checks(name)
    ]


@dataclass(frozen=True, slots=True)
class Judged:
    """How a run of checks ended: its exit status, what it printed, what it stored of each check."""

    status: int
    text: str
    items: tuple[dict[str, Any], ...]

    def of(self, check: str) -> Judged:
        """The part of the run that is one check: a file, a function, or one of its variants."""
        own = (item for item in self.items if is_part_of(check, ran_as(item)))
        return Judged(self.status, self.text, tuple(own))

    def outcomes(self) -> list[str]:
        """The outcome of each check."""
        return [item["more"]["outcome"] for item in self.items]

    def seconds(self) -> float:
        """How long its checks took, without the start of the run."""
        return float(sum(item["duration_s"] for item in self.items))

    def lacks(self) -> list[Lack]:
        """Why checks were not done here."""
        skipped = [item["more"] for item in self.items if item["more"]["outcome"] == "skipped"]
        return [Lack(Means(more["lacking"]), more["skip_reason"]) for more in skipped if more["lacking"]]

    def said_of_broken(self) -> str:
        """What the checks say of what they found: the anomalies, and the sentences of what failed. Their names, ids,
        claims and commands are not in it: those are the same whatever was found.
        """
        broken = [item for item in self.items if item["more"]["outcome"] == "broken"]
        anomalies = [
            f"{anomaly['claim']} {anomaly['name']}: {anomaly['sentence']}"
            for item in broken
            for verdict in item["verdicts"]
            if verdict["validity"] == "invalid"
            for anomaly in verdict["anomalies"]
        ]
        return "\n".join(dict.fromkeys([*anomalies, *(" ".join(item["more"]["happened"].split()) for item in broken)]))


def ran_as(item: Mapping[str, Any]) -> str:
    """The check of a stored item as pytest names it, without its target: "checks/….py::test_…[v3]"."""
    _, node, _ = item["rerun"].split("'", 2)
    name, _, variant = node.removesuffix("]").partition("[")
    kept = variant.removesuffix(item["target"]).removesuffix("-")
    return f"{name}[{kept}]" if kept else name


def is_part_of(check: str, ran: str) -> bool:
    """Whether what ran is a check, or a part of it."""
    return ran == check or ran.startswith((f"{check}::", f"{check}["))


def judge(warm: str, checks: list[str], target: str, folder: Path, *more: str) -> Judged:
    """Runs checks on a target from a folder of the test's own: nothing of earlier runs helps, nothing is kept. `more`
    are further options of pytest."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("checks", "pyproject.toml"):
        (folder / name).symlink_to(ROOT / name)
    chosen = [f"{check[:-1]}-{target}]" if check.endswith("]") else check for check in checks]
    options = ["--target", target, "--seed", "1", "--duration", DURATION_S, "-q", "-p", "no:cacheprovider", *more]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "KAFKA_VERIFICATION_CACHE": str(folder / "cache"), PLACE: warm}
    libs = libs_folder(TOOLS_VERSION)
    if libs.is_dir():  # of the cache only Kafka's jars are for the checks, whose tools need them
        environment.setdefault("KAFKA_HOME", str(libs.parent))
    command, said = [sys.executable, "-m", "pytest", *chosen, *options], folder / "said.txt"
    with said.open("wb") as output:
        process = Forked(warm, command, cwd=folder, env=environment, output=output.fileno())
    try:
        status = process.wait(TIMEOUT_S + TIMEOUT_OF_EACH_S * len(checks))
    finally:
        process.kill()
    metas = sorted((folder / "reports" / "out" / "latest").glob("*/meta.json"))
    text = said.read_text(encoding="utf-8", errors="replace")
    return Judged(status, text, tuple(json.loads(meta.read_text(encoding="utf-8")) for meta in metas))


@contextmanager
def begun(
    request: pytest.FixtureRequest, folder: Path, known: list[Case], parts: int, *more: str
) -> Iterator[Mapping[str | int, Future[Judged]]]:
    """The run of each plant of which a case was selected, by the plant's name, with all checks that must reject it; and
    that of each part of the checks of `known` on the reference without a bug."""
    own = [item for item in request.session.items if item.path == request.path]
    items = [item for item in own if "runs" in item.fixturenames]
    chosen = [item.callspec.params["case"] for item in items if "case" in item.fixturenames]
    with warm_process() as warm, ThreadPoolExecutor(AT_ONCE) as pool:
        started: dict[str | int, Future[Judged]] = {}
        checks = without_parts([case.check for case in known])
        for part in [item.callspec.params["part"] for item in items if "part" in item.fixturenames]:
            place = folder / f"reference-{part}"
            started[part] = pool.submit(judge, warm, checks[part::parts], "reference", place, *more)
        by_plant: dict[str, list[str]] = {}
        for case in chosen:
            by_plant.setdefault(case.plant, []).append(case.check)
        for plant, named in by_plant.items():
            started[plant] = pool.submit(judge, warm, without_parts(named), f"planted@{plant}", folder / plant, *more)
        yield started


def without_parts(checks: list[str]) -> list[str]:
    """Each check once, and none that is a part of another."""
    once = list(dict.fromkeys(checks))
    return [check for check in once if not any(other != check and is_part_of(other, check) for other in once)]


def require_rejected(runs: Mapping[str | int, Future[Judged]], case: Case) -> None:
    """Fails unless the check rejects the plant, for the reason that the plant's header names."""
    run = runs[case.plant].result().of(case.check)

    assert run.items, f"{case.check} did not run on {case.plant}:\n{run.text}"
    if run.lacks() and set(run.outcomes()) == {"skipped"}:
        skip_for(run.lacks()[0])
    assert "broken" in run.outcomes(), f"{case.check} does not reject {case.plant}:\n{run.text}"
    assert run.status == pytest.ExitCode.TESTS_FAILED
    assert case.evidence in run.said_of_broken(), f"{case.check} says nothing of {case.evidence}:\n{run.text}"


def require_accepted(run: Judged) -> None:
    """Fails unless every check that ran on the reference without a bug held."""
    assert run.status == pytest.ExitCode.OK, run.text
    # Without a recording, what nothing was asserted of is observed.
    assert set(run.outcomes()) - {"skipped", "observed"} == {"held"}
