"""Known bugs of Apache Kafka, as checks/known_bugs.toml lists them: what a check finds on the releases that have it.

A check that is broken by such a bug, on a release that has it and in the way that the entry tells, is a known bug: told
by that word, and no failure of the run. An entry whose check holds on a release that is said to have the bug is out of
date, and fails the run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.comparing.entries import read_entries
from harness.comparing.glob import matches

KNOWN_BUGS_FILE: Final = "known_bugs.toml"
_TEXTS: Final = ("id", "check", "happened", "sentence")
_PLACES: Final = ("link", "script")
"""Where more is told; one of them at least."""
_KEYS: Final = {*_TEXTS, "releases"}


class KnownBugsTrouble(ValueError):
    """The file cannot be used: where, what, what to do; one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownBug:
    """One bug, as one check finds it."""

    id: str
    """ "KAFKA-19444"; a name of our own where no id is known."""
    check: str
    """The id of a check, or after :: a glob for checks of one file."""
    releases: tuple[str, ...]
    """Those that have it: "4.3.1", or a whole line, "4.3"."""
    happened: str
    """What the check says when this bug breaks it, as a glob in which brackets stand for themselves."""
    sentence: str
    """What the bug is."""
    link: str = ""
    """A page that tells of it."""
    script: str = ""
    """A command that shows it."""
    number: int = 1
    """Its place in the file, from 1."""

    def is_about(self, check: str) -> bool:
        """Whether it is one of a check."""
        return matches(check, self.check)

    def is_in(self, release: str) -> bool:
        """Whether a release has it."""
        return any(release == one or release.startswith(f"{one}.") for one in self.releases)

    def explains(self, happened: str) -> bool:
        """Whether a check that says this is broken by it."""
        return matches(happened, self.happened)

    def __str__(self) -> str:
        return f"entry {self.number} ({self.id})"


@dataclass(frozen=True, slots=True)
class KnownBugs:
    """All that the file says."""

    bugs: tuple[KnownBug, ...] = ()

    def of(self, check: str, release: str) -> tuple[KnownBug, ...]:
        """Those that a check is said to find on a release of Apache Kafka."""
        return tuple(bug for bug in self.bugs if bug.is_about(check) and bug.is_in(release))

    def behind(self, check: str, release: str, happened: str) -> KnownBug | None:
        """The one that broke a check, by what the check says; None where it is broken by something else."""
        return next((bug for bug in self.of(check, release) if bug.explains(happened)), None)

    def complaints(self, held: Iterable[tuple[str, str, str]]) -> list[str]:
        """A line for each entry that is out of date; `held` is (check, target, release) of checks that held."""
        return [
            f"{bug} says that Kafka {release} has the bug, and {check} held on {target}: it is no longer broken. "
            f"Name the releases that still have it, or take the entry out"
            for check, target, release in held
            for bug in self.of(check, release)
        ]


def read_known_bugs(path: Path) -> KnownBugs:
    """The entries of a file; none when it does not exist. KnownBugsTrouble when it is not as it should be."""
    (entries,) = read_entries(path, "bug", trouble=KnownBugsTrouble)
    return KnownBugs(tuple(_entry(f"{path}: entry {number}", number, one) for number, one in enumerate(entries, 1)))


def _entry(where: str, number: int, entry: Any) -> KnownBug:
    given = set(entry) if isinstance(entry, dict) else set()
    lacks, extra = ", ".join(sorted(_KEYS - given)), ", ".join(sorted(given - _KEYS - set(_PLACES)))
    if lacks or extra:
        text = "; ".join(filter(None, [f"lacks {lacks}" if lacks else "", f"does not know {extra}" if extra else ""]))
        raise KnownBugsTrouble(f"{where} {text}")
    if not given & set(_PLACES):
        raise KnownBugsTrouble(f"{where} needs a link that tells of the bug, or a script that shows it")
    for key in (*_TEXTS, *sorted(given & set(_PLACES))):
        if not isinstance(entry[key], str) or not entry[key].strip():
            raise KnownBugsTrouble(f"{where}: {key} must be a text that is not empty")
    releases = entry["releases"]
    if not isinstance(releases, list) or not releases or not all(map(_is_release, releases)):
        raise KnownBugsTrouble(f'{where}: releases must be a list of releases or lines of them, as ["4.2", "4.3.1"]')
    if "*" in entry["check"].partition("::")[0]:
        raise KnownBugsTrouble(f"{where}: the part of check before :: must be one file's id, without *")
    if not entry["happened"].strip("*? "):
        raise KnownBugsTrouble(f"{where}: happened must tell this bug from others, and {entry['happened']} does not")
    if not entry.get("link", "https://").startswith("https://"):
        raise KnownBugsTrouble(f"{where}: link must begin with https://")
    return KnownBug(**{**entry, "releases": tuple(releases)}, number=number)


def _is_release(value: Any) -> bool:
    parts = value.split(".") if isinstance(value, str) else []
    return 2 <= len(parts) <= 3 and all(part.isdecimal() for part in parts)


def bug_said(bug: KnownBug) -> dict[str, Any]:
    """An entry as JSON data, for the pages of a run."""
    return {
        "id": bug.id,
        "check": bug.check,
        "releases": list(bug.releases),
        "happened": bug.happened,
        "sentence": bug.sentence,
        "link": bug.link,
        "script": bug.script,
    }
