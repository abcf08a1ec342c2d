"""How a check ended, in the words of the reports, and the exceptions by which a check says so."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from harness.verdicts import Verdict


class Outcome(StrEnum):
    """The end of one check on one target."""

    HELD = "held"
    BROKEN = "broken"
    UNKNOWN = "unknown"
    """Nothing is proved, either way; it fails, since unknown never passes."""
    DIFFERS = "differs"
    SKIPPED = "skipped"

    @property
    def is_failure(self) -> bool:
        """Whether it fails the run."""
        return self in (Outcome.BROKEN, Outcome.UNKNOWN, Outcome.DIFFERS)


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


class Unproven(Exception):
    """The check could not find out: what was in the way, and what to do."""

    outcome = Outcome.UNKNOWN


class Differs(AssertionError):
    """Two targets answered differently; the text is ready to be shown, a line each."""

    outcome = Outcome.DIFFERS

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)
