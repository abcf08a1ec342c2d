"""The outcomes of checks, and the exceptions that stand for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from harness.judging.judgements import note_judgement
from harness.judging.verdicts import Verdict

_SHORT = 120
_LISTED = 6
_NOTHING = object()


class Outcome(StrEnum):
    """How a check ended on a target, worst first."""

    BROKEN = "broken"
    DIFFERS = "differs"
    UNKNOWN = "unknown"
    """Nothing is proved either way. Counts as a failure."""
    KNOWN_BUG = "known bug"
    """Broken by a known bug of the target's release, listed in checks/known_bugs.toml. Does not count as a failure."""
    OBSERVED = "observed"
    """Answers were not judged: the check does not assert anything about them, and there was nothing to compare with."""
    HELD = "held"
    SKIPPED = "skipped"

    @property
    def is_failure(self) -> bool:
        """Whether this outcome fails the run."""
        return self in (Outcome.BROKEN, Outcome.DIFFERS, Outcome.UNKNOWN)

    @property
    def sign(self) -> str:
        """A one-character symbol."""
        return _SIGNS[self.value]

    def counted(self, number: int) -> str:
        """A number of checks with this outcome: "3 held", "1 differs", "2 differ", "2 known bugs"."""
        word = _PLURALS.get(self.value, self.value) if number != 1 else self.value
        return f"{number:,} {word}"


_SIGNS = {
    "broken": "✗",
    "differs": "≠",
    "unknown": "?",
    "known bug": "!",
    "observed": "○",
    "held": "✓",
    "skipped": "–",
}
_PLURALS = {"differs": "differ", "known bug": "known bugs"}


class BrokenPromise(AssertionError):
    """The target did not do what Kafka promises."""

    outcome = Outcome.BROKEN

    def __init__(
        self,
        happened: str,
        *,
        witness: Sequence[str] = (),
        promise: str = "",
        anomaly: str = "",
        claim: str = "",
        verdicts: Sequence[Verdict] = (),
    ) -> None:
        """`happened` is a sentence with numbers, `witness` the smallest evidence, `promise` what was broken."""
        super().__init__(happened)
        self.happened = happened
        self.witness = tuple(witness)
        self.promise = promise
        self.anomaly = anomaly
        self.claim = claim
        self.verdicts = tuple(verdicts)


def require(found: object, wanted: object, what: str, *, claim: str = "", promise: str = "") -> None:
    """BrokenPromise unless `found` equals `wanted`; `what` names the value in words: "the group's lag".

    `claim` and `promise` are for promises other than the check's own, e.g. in its preparation.
    """
    if found != wanted:
        lines = _unlike(found, wanted)
        happened = f"{_capital(what)} is not what it should be."
        if lines is None:
            happened = f"{_capital(what)} should be {_short(wanted)}, and is {_short(found)}."
        raise BrokenPromise(happened, witness=lines or (), claim=claim, promise=promise)
    note_judgement()


def _unlike(found: object, wanted: object) -> list[str] | None:
    """The first differences between two mappings or two lists, a line each; None for short or other values."""
    if len(repr(found)) + len(repr(wanted)) <= _SHORT:
        return None
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        ours, theirs = dict(wanted), dict(found)
    elif isinstance(found, list) and isinstance(wanted, list):
        ours, theirs = dict(enumerate(wanted)), dict(enumerate(found))
    else:
        return None
    keys = [key for key in {**ours, **theirs} if ours.get(key, _NOTHING) != theirs.get(key, _NOTHING)]
    lines = [
        f"{key!r}: {_short(theirs[key]) if key in theirs else 'nothing'}, "
        f"where {_short(ours[key]) if key in ours else 'nothing'} should be"
        for key in keys[:_LISTED]
    ]
    return lines + ([f"… and {len(keys) - _LISTED:,} more"] if len(keys) > _LISTED else [])


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


class Unproven(Exception):
    """The check could not prove anything. The message says what went wrong and what to do."""

    outcome = Outcome.UNKNOWN


class Differs(AssertionError):
    """Two targets answered differently; `lines` is the report."""

    outcome = Outcome.DIFFERS

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)
