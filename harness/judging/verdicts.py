"""Verdicts of checkers on a history, and how several are merged into one.

Valid < unknown < invalid, as in Jepsen: the worst verdict counts, and unknown does not pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Validity(StrEnum):
    """Whether a claim held."""

    VALID = "valid"
    UNKNOWN = "unknown"
    INVALID = "invalid"

    @property
    def exit_code(self) -> int:
        """Exit status of a command that judges: 0 valid, 3 unknown, 1 invalid; 2 is for wrong input."""
        return {Validity.VALID: 0, Validity.UNKNOWN: 3, Validity.INVALID: 1}[self]


_WEIGHT = {Validity.VALID: 0, Validity.UNKNOWN: 1, Validity.INVALID: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """One violation, with the smallest evidence that shows it."""

    name: str
    """Its name in ANOMALIES: "lost-write"."""
    claim: str
    """Id of the claim that it breaks: "D1"."""
    sentence: str
    """What happened, with numbers."""
    witness_lines: tuple[str, ...] = ()
    """A few lines of history: time, process, what, where."""
    index: int = -1
    """Index of the operation that shows it best; -1 for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A checker's finding on one history."""

    checker: str
    validity: Validity
    anomalies: tuple[Anomaly, ...] = ()
    """Anomalies that break a promise; the first few."""
    tolerated: tuple[Anomaly, ...] = ()
    """Anomalies that the settings allow; reported, but not judged."""
    reason: str = ""
    """Why the verdict is unknown or does not apply, or why anomalies are forbidden or tolerated."""
    count: int = 0
    """Number of anomalies found, including those that are not listed."""
    rests_on: str = ""
    """What was examined, with numbers: "5,993 acknowledged records"."""

    @property
    def is_valid(self) -> bool:
        """Whether the claim held."""
        return self.validity is Validity.VALID


def merged(validities: Iterable[Validity]) -> Validity:
    """The worst validity; unknown for none, since nothing was judged."""
    return max(validities, key=lambda validity: _WEIGHT[validity], default=Validity.UNKNOWN)
