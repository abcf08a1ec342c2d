"""Differences that are accepted, as checks/known_differences.toml lists them: for a reason, and until a date.

An entry that matches nothing although its check ran on its targets is as wrong as a difference that none matches: what
it excuses is gone, and the entry must go too. An entry past its date must be looked at again.
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
from harness.comparing.recorded.answers import PREFIX
from harness.targets.reference import BASELINE
from harness.targets.target import Target, TargetKind, as_given

KEYS: Final = {"check", "api", "field", "targets", "values", "source", "reason", "evidence", "review_by"}
_DOCUMENTS: Final = "documents"
"""The key that an accident has besides."""
_TEXTS: Final = ("check", "api", "field", "reason", "source", "evidence")


class KnownDifferencesTrouble(ValueError):
    """The file cannot be used: where, what, what to do; one line."""


class Source(StrEnum):
    """Where a difference comes from."""

    ACCIDENT = "accident"
    """Kafka does it by accident, as the words of a Java exception: no document tells it, no client may rely on it."""
    GAP = "gap"
    """The reference lacks it, as its header's **Departs from Kafka** says."""
    DOCUMENTED = "documented"
    """Kafka's documents allow both, or a release changed it; the evidence names the KIP, the KAFKA id or the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One accepted kind of difference."""

    check: str
    """The id of a file of checks, and after :: a glob for its checks: "protocol/describe_configs::topic*"."""
    api: str
    field: str
    """Path or glob: "results[].configs[retention.ms].value"; [] stands for any index or name."""
    targets: tuple[str, str]
    """Globs for the two targets, in either order."""
    values: tuple[str, str]
    """What each of the two targets says, in their order; in words where it is more than one value."""
    source: Source
    reason: str
    evidence: str
    """What shows it: a check and what it saw, a line of Kafka's source by its class, a KIP."""
    review_by: datetime.date
    documents: str = ""
    """Of an accident: what Kafka's documents say of it."""
    number: int = 1
    """Its place in the file, from 1."""

    @property
    def file(self) -> str:
        """The file of checks that it belongs to."""
        return self.check.partition("::")[0]

    def covers(self, check: str) -> bool:
        """Whether it is about a check."""
        file, separator, name = check.partition("::")
        own_file, _, own_name = self.check.partition("::")
        return file == own_file and (not own_name or not separator or fnmatchcase(name, _escaped(own_name)))

    def is_between(self, targets: Sequence[str]) -> bool:
        """Whether it is about a pair of targets, as the file names them."""
        one, other = targets
        first, second = self.targets
        return (fnmatchcase(one, first) and fnmatchcase(other, second)) or (
            fnmatchcase(one, second) and fnmatchcase(other, first)
        )

    def matches(self, difference: Difference, targets: Sequence[str]) -> bool:
        """Whether it accepts a difference. `targets`: those of the difference, as the file names them."""
        return (
            self.covers(difference.check)
            and fnmatchcase(difference.api, self.api)
            and _path_pattern(self.field).fullmatch(difference.field) is not None
            and self.is_between(targets)
        )

    @property
    def said(self) -> dict[str, str]:
        """Target, as a glob, → what it says."""
        return dict(zip(self.targets, self.values, strict=True))

    def __str__(self) -> str:
        return f"entry {self.number} ({self.check}, {self.api}, {self.field})"


@dataclass(frozen=True, slots=True)
class KnownDifferences:
    """All that the file says."""

    accepted: tuple[Known, ...] = ()
    gaps: tuple[Gap, ...] = ()
    """The APIs that the reference does not serve."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Target → how the file names it, where that is not by its own name."""

    def named(self, targets: Iterable[str]) -> tuple[str, ...]:
        """Targets as the file names them; what is recorded of a target counts as the target."""
        own = (target.removeprefix(PREFIX) for target in targets)
        return tuple(self.names.get(target, target) for target in own)

    def accepts(self, difference: Difference) -> Known | Gap | None:
        """The first entry that accepts a difference."""
        entries: tuple[Known | Gap, ...] = (*self.accepted, *self.gaps)
        targets = self.named(difference.values)
        return next((entry for entry in entries if entry.matches(difference, targets)), None)

    def gap(self, target: str, api_key: int) -> Gap | None:
        """The entry that says that a target lacks an API."""
        (name,) = self.named([target])
        return next((entry for entry in self.gaps if entry.is_of(name, api_key)), None)

    def accidents(self) -> tuple[Known, ...]:
        """The entries about what Kafka does by accident, in the order of the file."""
        return tuple(entry for entry in self.accepted if entry.source is Source.ACCIDENT)

    def complaints(self, used: Iterable[int], ran: Iterable[tuple[str, tuple[str, str]]]) -> list[str]:
        """A line for each accepted difference that does not exist any more.

        `used` are the numbers of entries that accepted something; `ran` is (check, pair of targets) of all that was
        compared, and holds a file's checks only where all of them were chosen for the run.
        """
        numbers, compared = frozenset(used), [(check, self.named(targets)) for check, targets in ran]
        return [
            f"{entry} matched nothing on {' | '.join(entry.targets)}: the difference is gone; remove the entry"
            for entry in self.accepted
            if entry.number not in numbers
            and any(entry.covers(check) and entry.is_between(targets) for check, targets in compared)
        ]

    def closed(self, listed: Mapping[str, Iterable[int]]) -> list[str]:
        """A line for each API that is said to be lacking on a target and is listed there (target → API keys)."""
        return [
            f"{entry}: {target} lists {entry.api} now; remove it from the entry"
            for entry in self.gaps
            for target, keys in listed.items()
            if any(entry.is_of(name, key) for name in self.named([target]) for key in keys)
        ]

    def overdue(self, today: datetime.date) -> list[str]:
        """A line for each entry whose date has passed."""
        entries: tuple[Known | Gap, ...] = (*self.accepted, *self.gaps)
        return [
            f"{entry} was to be reviewed by {entry.review_by}; review it, then remove it or set a new date"
            for entry in entries
            if entry.review_by < today
        ]


def read_known(path: Path, targets: Iterable[Target] = ()) -> KnownDifferences:
    """The entries of a file, for these targets; none when it does not exist. KnownDifferencesTrouble when it is not as
    it should be."""
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
    """How the file names a target: the reference by the release that it answers as, also with a planted bug."""
    if target.kind is not TargetKind.REFERENCE:
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
    """A path as a pattern: [] is any element, * is anything, all else stands for itself."""
    parts = re.split(r"(\[\]|\*)", field)
    special = {"[]": r"\[[^\]]*\]", "*": ".*"}
    return re.compile("".join(special.get(part, re.escape(part)) for part in parts))


def _escaped(glob: str) -> str:
    """A glob in which brackets stand for themselves."""
    return glob.replace("[", "[[]")


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
