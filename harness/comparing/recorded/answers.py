"""Recorded answers: what one target's checks observed, kept as text in the project, so that others can be compared
with it where it cannot run.

tests/recorded/kafka-4.3.1/AREA/FILE.jsonl holds one file of checks, all lines JSON: a first line that says of which
target and how it was made; `check` lines, sorted, each followed by its observations in their order; before the first
use of a long part of an answer a `part` line, which later lines name as {"(part)": n}. Nothing in it depends on the
run: two recordings of the same release are equal.
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

ROOT: Final = Path("tests") / "recorded"
"""Under the project's folder."""
FORM: Final = 2
"""The version of the files' form."""
PREFIX: Final = "recorded "
"""What a recording's name in comparisons begins with."""
PART: Final = "(part)"
LONG_PART: Final = 160
"""Characters of JSON from which a value that occurs again is written once."""
_DEFAULTS: Final = {"sent": None, "outcome": "answered", "answer": None, "pace": "at once"}
Checks = Mapping[str, Sequence[Observation]]
"""Id of a check → its observations."""


class RecordingTrouble(ValueError):
    """A recording that cannot be used: where, what, what to do; one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """The recorded observations of one target."""

    path: Path
    target: str
    """The name given with --target when it was made: "kafka@4.3.1"."""
    release: str
    checks: dict[str, tuple[Observation, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What it is called in comparisons."""
        return PREFIX + self.target

    def observations(self) -> Iterator[Observation]:
        """All of them."""
        return (one for found in self.checks.values() for one in found)

    def again(self, file: str = "") -> str:
        """The command that makes it again, all of it or one file of checks."""
        return remake(self.target, file)

    def is_for(self, release: str | None) -> bool:
        """Whether a target of a release ("4.3" is any of 4.3) may be compared with it; None is any release."""
        return release is None or self.release == release or self.release.startswith(release + ".")


def remake(target: str, file: str = "") -> str:
    """The command that records a target, all checks or one file of them ("protocol/fetch")."""
    area, _, name = file.rpartition("/")
    places = f" checks/{area}/test_{name}.py" if file else ""
    return f"python -m harness record --target {target}{places}"


def folder_of(release: str, root: Path = ROOT) -> Path:
    """Where a release of Kafka is recorded."""
    return root / f"kafka-{release}"


def folder_for(release: str | None, root: Path) -> Path | None:
    """The recording for a release, "4.3" standing for the last of 4.3; None where there is none."""
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
    """Observations as they come back from a file, so that they compare with recorded ones: lists for tuples."""
    return [_observation(json.loads(_line(_data(one)))) for one in observations]


# -- writing ----------------------------------------------------------------------------------------------------


def write_file(path: Path, *, target: str, release: str, file: str, checks: Checks) -> bool:
    """Writes one file of checks; whether it is another than it was."""
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
    """Long values that occur more than once: each is written once, and then named by its number."""

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
                return  # what is in it is written with it, once
            for inner in value.values() if isinstance(value, dict) else value:
                self._count(inner)

    def shortened(self, value: Any) -> Any:
        """The value with its long parts named; those that are new are then to be `taken`."""
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
        """The parts that are new since the last time, each after those that it names."""
        new, self._new = self._new, []
        return new


# -- reading ----------------------------------------------------------------------------------------------------


def read_recording(folder: Path) -> Recording:
    """All that a folder holds. RecordingTrouble when there is nothing, or it is damaged, or of another form."""
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
    """(the first line, check → observations) of one file. RecordingTrouble when it is not as it should be."""
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
