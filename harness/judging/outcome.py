"""How a check ended, in the words of the reports, and the exceptions by which a check says so."""

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
    """Nothing is proved, either way; it fails, since unknown never passes."""
    KNOWN_BUG = "known bug"
    """Broken by a bug that the target's release is known to have, as checks/known_bugs.toml tells; it fails nothing."""
    OBSERVED = "observed"
    """Answers came and nothing judged them: the check asserts nothing of them and there was nothing to compare with."""
    HELD = "held"
    SKIPPED = "skipped"

    @property
    def is_failure(self) -> bool:
        """Whether it fails a run."""
        return self in (Outcome.BROKEN, Outcome.DIFFERS, Outcome.UNKNOWN)

    @property
    def sign(self) -> str:
        """A sign that needs no colour."""
        return _SIGNS[self.value]

    def counted(self, number: int) -> str:
        """ "3 held", "1 differs", "2 differ", "2 known bugs"."""
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
        """`happened` is a sentence with numbers; `witness` the least evidence; `promise` what forbids it."""
        super().__init__(happened)
        self.happened = happened
        self.witness = tuple(witness)
        self.promise = promise
        self.anomaly = anomaly
        self.claim = claim
        self.verdicts = tuple(verdicts)


def require(found: object, wanted: object, what: str, *, claim: str = "", promise: str = "") -> None:
    """BrokenPromise when something is not what was promised; `what` names it in words: "the group's lag".

    `claim` and `promise` are given where another promise than the check's own is broken: of what comes before its act.
    """
    if found != wanted:
        lines = _unlike(found, wanted)
        happened = f"{_capital(what)} is not what it should be."
        if lines is None:
            happened = f"{_capital(what)} should be {_short(wanted)}, and is {_short(found)}."
        raise BrokenPromise(happened, witness=lines or (), claim=claim, promise=promise)
    note_judgement()


def _unlike(found: object, wanted: object) -> list[str] | None:
    """Where two collections of the same kind differ, a line each, the first few; None for anything short or single."""
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
    """The check could not find out: what went wrong, and what to do."""

    outcome = Outcome.UNKNOWN


class Differs(AssertionError):
    """Two targets answered differently; the text is ready to be shown, a line each."""

    outcome = Outcome.DIFFERS

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)
