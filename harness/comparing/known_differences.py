"""Differences that are accepted, as checks/known_differences.toml lists them: for a reason, and until a date.

An entry that matches nothing although its check ran on its targets is as wrong as a difference that none matches: what
it excuses is gone, and the entry must go too. An entry past its date must be looked at again.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from harness.comparing.diff import Difference
from harness.comparing.entries import read_entries

KEYS: Final = {"check", "api", "field", "targets", "reason", "source", "review_by"}
SOURCE: Final = re.compile(r"(KIP|KAFKA)-\d+|departure")


class KnownDifferencesTrouble(ValueError):
    """The file cannot be used: where, what, what to do; one line."""


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
    reason: str
    source: str
    """ "KIP-n", "KAFKA-n", or "departure" for a line of an API header's **Departs from Kafka**."""
    review_by: datetime.date
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

    def is_between(self, targets: Iterable[str]) -> bool:
        """Whether it is about a pair of targets; a recorded target counts as the target."""
        one, other = (target.removeprefix("recorded ") for target in targets)
        first, second = self.targets
        return (fnmatchcase(one, first) and fnmatchcase(other, second)) or (
            fnmatchcase(one, second) and fnmatchcase(other, first)
        )

    def matches(self, difference: Difference) -> bool:
        """Whether it accepts a difference."""
        return (
            self.covers(difference.check)
            and fnmatchcase(difference.api, self.api)
            and _path_pattern(self.field).fullmatch(difference.field) is not None
            and self.is_between(difference.values)
        )

    def __str__(self) -> str:
        return f"entry {self.number} ({self.check}, {self.api}, {self.field})"


def accepted_by(difference: Difference, known: Sequence[Known]) -> Known | None:
    """The first entry that accepts a difference."""
    return next((entry for entry in known if entry.matches(difference)), None)


def complaints(known: Sequence[Known], used: Iterable[int], ran: Iterable[tuple[str, tuple[str, str]]]) -> list[str]:
    """A line for each entry that excuses nothing any more.

    `used` are the numbers of entries that accepted something; `ran` is (check, pair of targets) of all that was
    compared, and holds a file's checks only where all of them were chosen for the run.
    """
    numbers, compared = frozenset(used), list(ran)
    return [
        f"{entry} matched nothing on {' | '.join(entry.targets)}: the difference is gone, take the entry out"
        for entry in known
        if entry.number not in numbers
        and any(entry.covers(check) and entry.is_between(targets) for check, targets in compared)
    ]


def overdue(known: Sequence[Known], today: datetime.date) -> list[str]:
    """A line for each entry whose date has passed."""
    return [
        f"{entry} was to be reviewed by {entry.review_by}: look at it again, then fix or move the date"
        for entry in known
        if entry.review_by < today
    ]


def read_known(path: Path) -> tuple[Known, ...]:
    """The entries of a file; none when it is not there. KnownDifferencesTrouble when it is not as it should be."""
    entries = read_entries(path, "accepted", KnownDifferencesTrouble)
    return tuple(_entry(path, number, entry) for number, entry in enumerate(entries, 1))


def _entry(path: Path, number: int, entry: Any) -> Known:
    where = f"{path}: entry {number}"
    if not isinstance(entry, dict) or set(entry) != KEYS:
        given = set(entry) if isinstance(entry, dict) else set()
        lacks, extra = ", ".join(sorted(KEYS - given)), ", ".join(sorted(given - KEYS))
        text = "; ".join(filter(None, [f"lacks {lacks}" if lacks else "", f"does not know {extra}" if extra else ""]))
        raise KnownDifferencesTrouble(f"{where} {text}")
    for key in ("check", "api", "field", "reason", "source"):
        if not isinstance(entry[key], str) or not entry[key].strip():
            raise KnownDifferencesTrouble(f"{where}: {key} must be a text that is not empty")
    targets = entry["targets"]
    if not isinstance(targets, list) or len(targets) != 2 or not all(isinstance(one, str) for one in targets):
        raise KnownDifferencesTrouble(f'{where}: targets must be two names or globs, as ["reference*", "kafka@*"]')
    if not SOURCE.fullmatch(entry["source"]):
        raise KnownDifferencesTrouble(f'{where}: source must be KIP-n, KAFKA-n or departure, not "{entry["source"]}"')
    if not isinstance(entry["review_by"], datetime.date) or isinstance(entry["review_by"], datetime.datetime):
        raise KnownDifferencesTrouble(f"{where}: review_by must be a date without quotes, as 2027-06-30")
    if "*" in entry["check"].partition("::")[0]:
        raise KnownDifferencesTrouble(f"{where}: the part of check before :: must be one file's id, without *")
    return Known(**{**entry, "targets": (targets[0], targets[1])}, number=number)


def _path_pattern(field: str) -> re.Pattern[str]:
    """A path as a pattern: [] is any element, * is anything, all else stands for itself."""
    parts = re.split(r"(\[\]|\*)", field)
    special = {"[]": r"\[[^\]]*\]", "*": ".*"}
    return re.compile("".join(special.get(part, re.escape(part)) for part in parts))


def _escaped(glob: str) -> str:
    """A glob in which brackets stand for themselves."""
    return glob.replace("[", "[[]")
