"""Where runs are kept: `reports/out/RUN/` with a folder for each check on each target, and a link `latest`.

RUN/run.json                    targets, seed, when
RUN/account.json                what was compared: each API, version and error code, on each target
RUN/ITEM/meta.json              check, claim, target, client, settings, verdicts
RUN/ITEM/history.jsonl          what was done and seen
RUN/ITEM/logs/NAME              the nodes' logs
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from harness.history.files import HistoryWriter, StoredHistory, read_history, stream_history
from harness.history.history import History
from harness.history.whole_file import write_whole
from harness.judging.activity import Needs
from harness.judging.guarantees import ClientSettings, FaultEffects, Guarantees, TopicSettings
from harness.judging.verdicts import Anomaly, Validity, Verdict

T = TypeVar("T")
OUT = Path("reports") / "out"
"""Under the folder in which a run was started."""


class StoreTrouble(Exception):
    """A stored run that cannot be used: what, where, what to do."""


@dataclass(kw_only=True)
class Meta:
    """What is known of one check on one target."""

    check: str
    """Its id: "durability/acknowledged_records_survive[kill]"."""
    claim: str = ""
    target: str = ""
    version: str = ""
    client: str = ""
    seed: int = 0
    workload: str = "queue"
    """Names the checkers that judge the history."""
    client_settings: Mapping[str, Any] = field(default_factory=dict)
    topic_settings: Mapping[str, Any] = field(default_factory=dict)
    """As the cluster told them."""
    fault_effects: Mapping[str, Any] = field(default_factory=dict)
    """What the faults could do to the log."""
    needs: Mapping[str, int] = field(default_factory=dict)
    """What had to happen for the verdicts to mean something."""
    rerun: str = ""
    """The command that runs it again."""
    verdict: str = ""
    verdicts: Sequence[Mapping[str, Any]] = ()
    duration_s: float = 0.0
    operations: int = 0
    faults: int = 0
    availability: Sequence[Mapping[str, Any]] = ()
    """The longest time without a success, for each fault and role (harness/judging/availability.py)."""
    measures: Mapping[str, Any] = field(default_factory=dict)
    """Other figures of the run (harness/judging/measures.py)."""
    more: Mapping[str, Any] = field(default_factory=dict)

    def rules(self) -> Guarantees:
        """What its settings promise. StoreTrouble when they are not of this version."""
        return Guarantees.of(
            self._read(self.client_settings, ClientSettings),
            self._read(self.topic_settings, TopicSettings),
            self._read(self.fault_effects, FaultEffects),
        )

    def least(self) -> Needs:
        """What had to happen. StoreTrouble when that is not of this version."""
        return self._read(self.needs, Needs, "needs")

    def _read(self, data: Mapping[str, Any], kind: type[T], what: str = "settings") -> T:
        try:
            return _converted(data, kind)
        except (msgspec.ValidationError, TypeError) as trouble:
            raise StoreTrouble(f"{self.check}: its {what} are not of this version: {trouble}") from trouble


def verdict_data(verdict: Verdict) -> dict[str, Any]:
    """A verdict as JSON data."""
    return asdict(verdict)


def verdict_of(data: Mapping[str, Any]) -> Verdict:
    """A verdict from JSON data."""

    def anomalies(listed: Sequence[Mapping[str, Any]]) -> tuple[Anomaly, ...]:
        return tuple(Anomaly(**{**found, "witness_lines": tuple(found["witness_lines"])}) for found in listed)

    return Verdict(
        checker=data["checker"],
        validity=Validity(data["validity"]),
        anomalies=anomalies(data["anomalies"]),
        tolerated=anomalies(data["tolerated"]),
        reason=data["reason"],
        count=data["count"],
        rests_on=data["rests_on"],
    )


class Item:
    """The folder of one check on one target."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def history_path(self) -> Path:
        """Its history, which a check without a workload has not."""
        return self.path / "history.jsonl"

    def history_writer(
        self, *, clock_ns: Callable[[], int] = time.monotonic_ns, started_at_ms: int | None = None
    ) -> HistoryWriter:
        """A writer for its history, by the clock of the run; OSError when there is one."""
        return HistoryWriter(self.history_path, clock_ns=clock_ns, started_at_ms=started_at_ms)

    def history(self) -> History:
        """Its whole history, in memory. HistoryTrouble when it is missing or damaged."""
        return read_history(self.history_path)

    def stream(self) -> StoredHistory:
        """Its history, read as often as needed and never held. HistoryTrouble when it is missing."""
        return stream_history(self.history_path)

    def write_meta(self, meta: Meta) -> None:
        """Replaces what is known of it."""
        _write(self.path / "meta.json", asdict(meta))

    def meta(self) -> Meta:
        """What is known of it. StoreTrouble when that cannot be read."""
        return _meta(self.path / "meta.json")

    def write_logs(self, logs: Mapping[str, str]) -> None:
        """Stores the nodes' logs."""
        folder = self.path / "logs"
        folder.mkdir(exist_ok=True)
        for name, text in logs.items():
            write_whole(folder / safe(name), text)


class Run:
    """The folder of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, *, root: Path = OUT, about: Mapping[str, Any] | None = None) -> Run:
        """A new folder named by the time, and `latest` pointing at it. OSError where that fails; then there is none."""
        root.mkdir(parents=True, exist_ok=True)
        stem = time.strftime("%Y%m%d-%H%M%S")
        for number in range(1, 1000):
            path = root / (stem if number == 1 else f"{stem}-{number}")
            try:
                path.mkdir()
                break
            except FileExistsError:
                continue
        try:
            _write(path / "run.json", dict(about or {}))
            _point(root / "latest", path.name)
        except OSError:
            shutil.rmtree(path, ignore_errors=True)
            raise
        return cls(path)

    def item(self, check: str, target: str) -> Item:
        """A new folder for a check on a target. Several processes may make theirs at the same time."""
        stem = safe(f"{check}-{target}")
        for number in itertools.count(1):
            path = self.path / (stem if number == 1 else f"{stem}-{number}")
            try:
                path.mkdir()
            except FileExistsError:
                continue
            return Item(path)
        raise AssertionError("unreachable: counting does not end")

    def items(self) -> list[Item]:
        """The folders of its checks, by name."""
        return [Item(found.parent) for found in sorted(self.path.glob("*/meta.json"))]

    def finish(self, about: Mapping[str, Any]) -> None:
        """Replaces what was said of it when it was made, and makes it `latest`, which another run may have been."""
        _write(self.path / "run.json", dict(about))
        _point(self.path.parent / "latest", self.path.name)

    def write_account(self, text: str) -> None:
        """Stores the account of what was compared."""
        write_whole(self.path / "account.json", text)

    def account(self) -> dict[str, Any] | None:
        """The account of what was compared; None for a run that compared nothing. StoreTrouble where it is damaged."""
        path = self.path / "account.json"
        if not path.is_file():
            return None
        found = _read(path)
        if not isinstance(found, dict) or not isinstance(found.get("apis"), list):
            raise StoreTrouble(f"{path}: not an account of a run")
        return found

    def about(self) -> dict[str, Any]:
        """What was said of it when it was made."""
        found = _read(self.path / "run.json")
        return found if isinstance(found, dict) else {}


def open_items(path: Path) -> list[Item]:
    """The items of a run's folder, or the one of an item's folder. StoreTrouble when it is neither."""
    if (path / "meta.json").is_file():
        return [Item(path)]
    items = Run(path).items() if path.is_dir() else []
    if not items:
        raise StoreTrouble(
            f"{path}: not the folder of a stored run; give one under {OUT} (for instance {OUT / 'latest'})"
        )
    return items


def safe(name: str) -> str:
    """Makes a name usable as a file name."""
    return re.sub(r"[^A-Za-z0-9._@-]+", "-", name).strip("-.")[:150] or "unnamed"


def _meta(path: Path) -> Meta:
    data = _read(path)
    try:
        return _converted(data, Meta)
    except (msgspec.ValidationError, TypeError) as trouble:
        raise StoreTrouble(f"{path}: not of this version: {trouble}") from trouble


def _converted(data: Any, kind: type[T]) -> T:
    """Data from JSON as a dataclass. ValidationError or TypeError where a field is unknown, lacking, or of another
    type."""
    known = getattr(kind, "__dataclass_fields__", {})
    unknown = sorted(set(data) - set(known)) if isinstance(data, Mapping) else []
    if unknown:
        raise TypeError(f"there is no {unknown[0]!r}")
    return msgspec.convert(data, kind)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as trouble:
        raise StoreTrouble(f"{path}: cannot be read: {trouble}") from trouble


def _write(path: Path, data: Any) -> None:
    write_whole(path, json.dumps(data, indent=1, ensure_ascii=False, default=str) + "\n")


def _point(link: Path, name: str) -> None:
    """Makes the link name another folder, at once; runs that start at the same time do not disturb each other."""
    fresh = link.with_name(f"{link.name}.{name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)  # of a process of the same number that died here
    fresh.symlink_to(name)
    os.replace(fresh, link)
