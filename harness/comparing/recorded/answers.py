"""Recordings: the observations of checks on one target, stored in the project, so that other targets can be compared
with it where it cannot run.

tests/recorded/kafka-4.3.1/AREA/FILE.jsonl has the observations of one file of checks, one JSON value per line. The
first line names the target and the command that made the recording. Then come `check` lines, sorted, each followed by
its observations in order. A long part of an answer that occurs again is written as a `part` line before its first use,
and referred to as {"(part)": n}. Nothing depends on the run: two recordings of the same release are equal.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from harness.comparing.observation import Observation, Pace, RequestOutcome
from harness.history.whole_file import write_whole
from reference_broker.command_line import as_typed

ROOT: Final = Path("tests") / "recorded"
"""The folder of recordings, in the project's folder."""
FORM: Final = 2
"""The version of the file format."""
PREFIX: Final = "recorded "
"""The prefix of a recording's name in comparisons."""
PART: Final = "(part)"
LONG_PART: Final = 160
"""Values with at least this many characters of JSON are written only once."""
_DEFAULTS: Final = {"sent": None, "outcome": "answered", "answer": None, "pace": "at once"}
Checks = Mapping[str, Sequence[Observation]]
"""Id of a check → its observations."""


class RecordingTrouble(ValueError):
    """A recording cannot be used. The message is one line: where, what, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """The recorded observations of one target."""

    path: Path
    target: str
    """The target's name when it was recorded: "kafka@4.3.1"."""
    release: str
    checks: dict[str, tuple[Observation, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name in comparisons."""
        return PREFIX + self.target

    def observations(self) -> Iterator[Observation]:
        """All observations."""
        return (one for found in self.checks.values() for one in found)

    def again(self, file: str = "") -> str:
        """The command that records all checks, or one file of them, again."""
        return remake(self.target, file)

    def is_for(self, release: str | None) -> bool:
        """Whether a target of this release may be compared with it. "4.3" means any 4.3 release, None any release."""
        return release is None or self.release == release or self.release.startswith(release + ".")


def remake(target: str, file: str = "") -> str:
    """The command that records a target, all checks or one file of them ("protocol/fetch")."""
    area, _, name = file.rpartition("/")
    places = f" checks/{area}/test_{name}.py" if file else ""
    return as_typed(f"harness record --target {target}{places}")


def folder_of(release: str, root: Path = ROOT) -> Path:
    """The folder of the recording of a Kafka release."""
    return root / f"kafka-{release}"


def folder_for(release: str | None, root: Path) -> Path | None:
    """The folder of the recording for a release; "4.3" means the newest recorded 4.3 release. None if there is none."""
    found = [path for path in root.glob("kafka-*") if path.is_dir()]
    matching = [
        path
        for path in found
        if release is not None and (path.name == f"kafka-{release}" or path.name.startswith(f"kafka-{release}."))
    ]
    return max(matching, key=lambda path: _numbers(path.name), default=None)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def same_form(observations: Sequence[Observation]) -> list[Observation]:
    """Observations as if read from a file (e.g. with lists for tuples), to compare them with recorded ones."""
    return [_observation(json.loads(_line(_data(one)))) for one in observations]


# -- writing ----------------------------------------------------------------------------------------------------


def write_file(path: Path, *, target: str, release: str, file: str, checks: Checks) -> bool:
    """Writes the recording of one file of checks; returns whether its content has changed."""
    first = {"checks": file, "form": FORM, "made_by": remake(target), "recorded": target, "release": release}
    lines = [_line(first)]
    rows = {check: [_data(one) for one in checks[check]] for check in sorted(checks)}
    parts = _Parts(row for found in rows.values() for row in found)
    for check, found in rows.items():
        lines.append(_line({"check": check}))
        for row in found:
            shortened = parts.shortened(row)
            lines += [_line(new) for new in parts.taken()]
            lines.append(_line(shortened))
    text = "\n".join(lines) + "\n"
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text)
    return True


def _data(observation: Observation) -> dict[str, Any]:
    return {key: value for key, value in observation.data().items() if key not in _DEFAULTS or _DEFAULTS[key] != value}


def _line(data: Any) -> str:
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


class _Parts:
    """Long values that occur more than once. Each is written once, and then referred to by its number."""

    def __init__(self, rows: Iterator[dict[str, Any]]) -> None:
        self._counts: Counter[str] = Counter()
        for row in rows:
            self._count(row.get("sent"))
            self._count(row.get("answer"))
        self._numbers: dict[str, int] = {}
        self._new: list[dict[str, Any]] = []

    def _count(self, value: Any) -> None:
        if isinstance(value, (dict, list, tuple)):
            text = _line(value)
            if len(text) < LONG_PART:
                return
            self._counts[text] += 1
            if self._counts[text] > 1:
                return  # its inner values were counted at its first occurrence
            for inner in value.values() if isinstance(value, dict) else value:
                self._count(inner)

    def shortened(self, value: Any) -> Any:
        """The value with long parts replaced by references. New parts are then available from `taken`."""
        if not isinstance(value, (dict, list, tuple)):
            return value
        text = _line(value)
        if self._counts[text] < 2:
            return self._inside(value)
        if text not in self._numbers:
            inner = self._inside(value)
            self._numbers[text] = len(self._numbers) + 1
            self._new.append({"part": self._numbers[text], "is": inner})
        return {PART: self._numbers[text]}

    def _inside(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self.shortened(inner) for key, inner in value.items()}
        return [self.shortened(inner) for inner in value]

    def taken(self) -> list[dict[str, Any]]:
        """The `part` lines that are new since the last call, each after those to which it refers."""
        new, self._new = self._new, []
        return new


# -- reading ----------------------------------------------------------------------------------------------------


def read_recording(folder: Path) -> Recording:
    """Reads the recording in a folder. RecordingTrouble if there is none, or if it is damaged or in another format."""
    paths = sorted(folder.rglob("*.jsonl"))
    if not paths:
        raise RecordingTrouble(f"{folder}: no recording here; make one with: {remake('kafka@VERSION')}")
    checks: dict[str, tuple[Observation, ...]] = {}
    firsts = []
    for path in paths:
        first, found = read_file(path)
        firsts.append(first)
        checks.update(found)
    made = {(first["recorded"], first["release"]) for first in firsts}
    if len(made) > 1:
        told = ", ".join(sorted(f"{target} ({release})" for target, release in made))
        raise RecordingTrouble(f"{folder}: it is of several targets: {told}; remove the folder and record again")
    target, release = made.pop()
    return Recording(path=folder, target=target, release=release, checks=checks)


def read_file(path: Path) -> tuple[dict[str, Any], dict[str, tuple[Observation, ...]]]:
    """Reads one file; returns (first line, check → observations). RecordingTrouble if it is invalid."""
    at = 0
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        first = json.loads(lines[0])
        if first["form"] != FORM:
            raise RecordingTrouble(f"{path}: it is of form {first['form']}, not {FORM}; {_remedy(first)}")
        found: dict[str, list[Observation]] = {}
        parts: dict[int, Any] = {}
        rows: list[Observation] | None = None
        for at, text in enumerate(lines[1:], 1):  # noqa: B007
            data = json.loads(text)
            if "part" in data:
                parts[data["part"]] = _whole(data["is"], parts)
            elif "check" in data:
                rows = found[data["check"]] = []
            elif rows is None:
                raise ValueError("an observation of no check")
            else:
                rows.append(_observation(_whole(data, parts)))
        return {**first, "recorded": str(first["recorded"]), "release": str(first["release"])}, {
            check: tuple(seen) for check, seen in found.items()
        }
    except RecordingTrouble:
        raise
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as trouble:
        told = f"{type(trouble).__name__}: {trouble}"
        raise RecordingTrouble(f"{path}:{at + 1}: this is no recording ({told}); record again") from trouble


def _remedy(first: Mapping[str, Any]) -> str:
    return f"record again with: {remake(str(first.get('recorded', 'kafka@VERSION')))}"


def _whole(value: Any, parts: Mapping[int, Any]) -> Any:
    if isinstance(value, dict):
        if set(value) == {PART}:
            return parts[value[PART]]
        return {key: _whole(inner, parts) for key, inner in value.items()}
    return [_whole(inner, parts) for inner in value] if isinstance(value, list) else value


def _observation(data: Mapping[str, Any]) -> Observation:
    return Observation(
        api=data["api"],
        version=data["version"],
        request=data["request"],
        sent=data.get("sent"),
        outcome=RequestOutcome(data.get("outcome", RequestOutcome.ANSWERED)),
        answer=data.get("answer"),
        pace=Pace(data.get("pace", Pace.AT_ONCE)),
    )
