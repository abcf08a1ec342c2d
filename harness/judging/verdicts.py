"""What a checker says of a history, and how several verdicts make one.

Valid < unknown < invalid (Jepsen): one broken promise outweighs everything, and unknown never passes silently.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Validity(StrEnum):
    """How a claim fared."""

    VALID = "valid"
    UNKNOWN = "unknown"
    INVALID = "invalid"

    @property
    def exit_code(self) -> int:
        """Of a command that judges: 0, 3 or 1; 2 is for wrong input."""
        return {Validity.VALID: 0, Validity.UNKNOWN: 3, Validity.INVALID: 1}[self]


_WEIGHT = {Validity.VALID: 0, Validity.UNKNOWN: 1, Validity.INVALID: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """One thing that should not be, with the least evidence that shows it."""

    name: str
    """As in the catalogue: "lost-write"."""
    claim: str
    """Id of the claim that it breaks: "D1"."""
    sentence: str
    """What happened, with numbers."""
    witness_lines: tuple[str, ...] = ()
    """A few lines of history: time, process, what, where."""
    index: int = -1
    """Index of the operation that shows it best; -1 when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A checker's finding on one history."""

    checker: str
    validity: Validity
    anomalies: tuple[Anomaly, ...] = ()
    """Those that break a promise; the worst few."""
    tolerated: tuple[Anomaly, ...] = ()
    """Those that the settings do not forbid: reported, not judged."""
    reason: str = ""
    """Why it is unknown or does not apply; why anomalies are forbidden or tolerated."""
    count: int = 0
    """Number of all anomalies found, listed or not."""
    rests_on: str = ""
    """What was looked at, with numbers: "5,993 acknowledged records"."""

    @property
    def is_valid(self) -> bool:
        """Whether the claim held."""
        return self.validity is Validity.VALID


def merged(validities: Iterable[Validity]) -> Validity:
    """The worst; unknown when there are none, since nothing was judged."""
    return max(validities, key=lambda validity: _WEIGHT[validity], default=Validity.UNKNOWN)
