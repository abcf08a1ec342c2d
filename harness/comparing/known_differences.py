"""Reads checks/known_differences.toml: differences that are accepted, each with a reason and a review date.

An entry that matches nothing although its check ran on its targets is an error: the difference is gone, and the entry
must be removed. So is an entry whose review date has passed.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from harness.comparing.diff import Difference
from harness.comparing.entries import read_entries
from harness.comparing.gaps import Gap, gaps_of
from harness.comparing.glob import matches
from harness.comparing.recorded.answers import PREFIX
from harness.targets.reference import BASELINE
from harness.targets.target import Target, TargetKind, as_given
from harness.targets.target_kind import parts_of

KEYS: Final = {"check", "api", "field", "targets", "values", "source", "reason", "evidence", "review_by"}
_DOCUMENTS: Final = "documents"
"""An additional required key of entries with source "accident"."""
_TEXTS: Final = ("check", "api", "field", "reason", "source", "evidence")


class KnownDifferencesTrouble(ValueError):
    """The file is invalid. The message is one line: where, what, and what to do."""


class Source(StrEnum):
    """Where a difference comes from."""

    ACCIDENT = "accident"
    """Accidental behaviour of Kafka, such as the text of a Java exception: undocumented, and not to be relied on."""
    GAP = "gap"
    """Missing in the reference, as **Departs from Kafka** in the header of its file says."""
    DOCUMENTED = "documented"
    """Kafka's documents allow both values, or a release changed it. The evidence names the KIP, issue or document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One accepted kind of difference."""

    check: str
    """The id of a file of checks, optionally with :: and a glob for its checks: "protocol/describe_configs::topic*"."""
    api: str
    field: str
    """Path or glob: "results[].configs[retention.ms].value"; [] stands for any index or name."""
    targets: tuple[str, str]
    """Globs for the two targets, in either order."""
    values: tuple[str, str]
    """The values of the two targets, in the order of `targets`; a description if there are several."""
    source: Source
    reason: str
    evidence: str
    """The evidence: a check and its result, a class in Kafka's source, a KIP."""
    review_by: datetime.date
    documents: str = ""
    """For an accident: what Kafka's documents say about it."""
    number: int = 1
    """Its position in the file, from 1."""

    @property
    def file(self) -> str:
        """The id of the file of checks to which the entry applies."""
        return self.check.partition("::")[0]

    def covers(self, check: str) -> bool:
        """Whether the entry applies to a check."""
        file, separator, name = check.partition("::")
        own_file, _, own_name = self.check.partition("::")
        return file == own_file and (not own_name or not separator or matches(name, own_name))

    def is_between(self, targets: Sequence[str]) -> bool:
        """Whether the entry applies to a pair of targets, given by their names in the file."""
        one, other = targets
        first, second = self.targets
        return (fnmatchcase(one, first) and fnmatchcase(other, second)) or (
            fnmatchcase(one, second) and fnmatchcase(other, first)
        )

    def matches(self, difference: Difference, targets: Sequence[str]) -> bool:
        """Whether the entry accepts a difference. `targets` are those of the difference, by their names in the file."""
        return (
            self.covers(difference.check)
            and fnmatchcase(difference.api, self.api)
            and _path_pattern(self.field).fullmatch(difference.field) is not None
            and self.is_between(targets)
        )

    @property
    def said(self) -> dict[str, str]:
        """Glob for a target → its value."""
        return dict(zip(self.targets, self.values, strict=True))

    def __str__(self) -> str:
        return f"entry {self.number} ({self.check}, {self.api}, {self.field})"


@dataclass(frozen=True, slots=True)
class KnownDifferences:
    """The contents of the file."""

    accepted: tuple[Known, ...] = ()
    gaps: tuple[Gap, ...] = ()
    """The APIs that the reference does not support yet."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Target → its name in the file."""

    def named(self, targets: Iterable[str]) -> tuple[str, ...]:
        """The names of targets in the file; a recording has the name of its target."""
        own = (target.removeprefix(PREFIX) for target in targets)
        return tuple(self.names.get(target, target) for target in own)

    def accepts(self, difference: Difference) -> Known | Gap | None:
        """The first entry that accepts a difference; None if there is none."""
        entries: tuple[Known | Gap, ...] = (*self.accepted, *self.gaps)
        targets = self.named(difference.values)
        return next((entry for entry in entries if entry.matches(difference, targets)), None)

    def gap(self, target: str, api_key: int) -> Gap | None:
        """The gap for an API on a target; None if there is none."""
        (name,) = self.named([target])
        return next((entry for entry in self.gaps for part in parts_of(name) if entry.is_of(part, api_key)), None)

    def accidents(self) -> tuple[Known, ...]:
        """The entries with source "accident", in the order of the file."""
        return tuple(entry for entry in self.accepted if entry.source is Source.ACCIDENT)

    def complaints(self, used: Iterable[int], ran: Iterable[tuple[str, tuple[str, str]]]) -> list[str]:
        """A line for each accepted difference that no longer exists.

        `used` has the numbers of entries that accepted something. `ran` has (check, pair of targets) of all
        comparisons, without those of files of which only some checks were chosen for the run.
        """
        numbers, compared = frozenset(used), [(check, self.named(targets)) for check, targets in ran]
        return [
            f"{entry} matched nothing on {' | '.join(entry.targets)}: the difference is gone; remove the entry"
            for entry in self.accepted
            if entry.number not in numbers
            and any(entry.covers(check) and entry.is_between(targets) for check, targets in compared)
        ]

    def closed(self, listed: Mapping[str, Iterable[int]]) -> list[str]:
        """A line for each gap whose API is listed by its target. `listed`: target → API keys."""
        return [
            f"{entry}: {target} lists {entry.api} now; remove it from the entry"
            for entry in self.gaps
            for target, keys in listed.items()
            if any(entry.is_of(name, key) for name in self.named([target]) for key in keys)
        ]

    def overdue(self, today: datetime.date) -> list[str]:
        """A line for each entry whose review date has passed."""
        entries: tuple[Known | Gap, ...] = (*self.accepted, *self.gaps)
        return [
            f"{entry} was to be reviewed by {entry.review_by}; review it, then remove it or set a new date"
            for entry in entries
            if entry.review_by < today
        ]


def read_known(path: Path, targets: Iterable[Target] = ()) -> KnownDifferences:
    """Reads a file; empty if there is none. `targets` are those of the run. KnownDifferencesTrouble if it is
    invalid."""
    accepted, gaps = read_entries(path, "accepted", "gap", trouble=KnownDifferencesTrouble)
    try:
        return KnownDifferences(
            accepted=tuple(_entry(f"{path}: entry {number}", number, one) for number, one in enumerate(accepted, 1)),
            gaps=tuple(
                gap for number, one in enumerate(gaps, 1) for gap in gaps_of(f"{path}: gap {number}", number, one)
            ),
            names={target.name: name_of(target) for target in targets},
        )
    except KnownDifferencesTrouble:
        raise
    except ValueError as wrong:
        raise KnownDifferencesTrouble(str(wrong)) from wrong


def name_of(target: Target) -> str:
    """The name of a target in the file; for the reference, only its release counts, not a planted bug."""
    if target.kind not in (TargetKind.REFERENCE, TargetKind.SIMULATED):
        return as_given(target.name)
    return "reference" if target.release == BASELINE else f"reference@{target.release}"


def _entry(where: str, number: int, entry: Any) -> Known:
    is_accident = isinstance(entry, dict) and entry.get("source") == Source.ACCIDENT
    keys = KEYS | {_DOCUMENTS} if is_accident else KEYS
    if not isinstance(entry, dict) or set(entry) != keys:
        given = set(entry) if isinstance(entry, dict) else set()
        lacks, extra = ", ".join(sorted(keys - given)), ", ".join(sorted(given - keys))
        text = "; ".join(filter(None, [f"lacks {lacks}" if lacks else "", f"does not know {extra}" if extra else ""]))
        raise KnownDifferencesTrouble(f"{where} {text}")
    for key in (*_TEXTS, _DOCUMENTS) if is_accident else _TEXTS:
        if not isinstance(entry[key], str) or not entry[key].strip():
            raise KnownDifferencesTrouble(f"{where}: {key} must be a non-empty string")
    for key, example in (("targets", '["reference*", "kafka@*"]'), ("values", '["null", "Unknown topic."]')):
        if not _is_pair(entry[key]):
            raise KnownDifferencesTrouble(
                f"{where}: {key} must be two strings, one for each target, for instance {example}"
            )
    if entry["source"] not in set(Source):
        raise KnownDifferencesTrouble(f'{where}: source must be {", ".join(Source)}, not "{entry["source"]}"')
    if not isinstance(entry["review_by"], datetime.date) or isinstance(entry["review_by"], datetime.datetime):
        raise KnownDifferencesTrouble(f"{where}: review_by must be a date without quotes, for instance 2027-06-30")
    if "*" in entry["check"].partition("::")[0]:
        raise KnownDifferencesTrouble(f"{where}: the part of check before :: must be one file's id, without *")
    more = {"targets": tuple(entry["targets"]), "values": tuple(entry["values"]), "source": Source(entry["source"])}
    return Known(**{**entry, **more}, number=number)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(one, str) and one for one in value)


def _path_pattern(field: str) -> re.Pattern[str]:
    """A path as a regular expression: [] matches any element, * anything, and all else itself."""
    parts = re.split(r"(\[\]|\*)", field)
    special = {"[]": r"\[[^\]]*\]", "*": ".*"}
    return re.compile("".join(special.get(part, re.escape(part)) for part in parts))


def entries_said(known: Sequence[Known]) -> list[dict[str, Any]]:
    """Entries as JSON data, for the pages of a run."""
    return [
        {
            "check": entry.check,
            "api": entry.api,
            "field": entry.field,
            "values": entry.said,
            "source": entry.source.value,
            "reason": entry.reason,
            "evidence": entry.evidence,
            "documents": entry.documents,
            "review_by": entry.review_by.isoformat(),
        }
        for entry in known
    ]
