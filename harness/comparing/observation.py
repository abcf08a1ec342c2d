"""One exchange with a cluster as it was seen: what was asked in words, what came back, and how soon.

Answers are kept in their normal form (harness/comparing/normal_form.py), so that two targets' observations can be
compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

Plain = None | bool | int | float | str | Sequence["Plain"] | Mapping[str, "Plain"]
"""Data that JSON knows."""


class RequestOutcome(StrEnum):
    """What became of a request."""

    ANSWERED = "answered"
    CLOSED = "connection closed"
    SILENT = "no answer"


class Pace(StrEnum):
    """How soon an answer came, as coarsely as two machines can be compared."""

    AT_ONCE = "at once"
    WAITED = "waited"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One request and what came of it."""

    api: str
    """Name of the API: "OffsetFetch"; empty for what is no exchange."""
    version: int
    """Version of the API; -1 if this is no exchange."""
    request: str
    """What was asked, in words."""
    sent: Plain = None
    """The request's fields in normal form."""
    outcome: RequestOutcome = RequestOutcome.ANSWERED
    answer: Plain = None
    """The response's fields in normal form; None without a response."""
    pace: Pace = Pace.AT_ONCE

    def compared(self) -> dict[str, Plain]:
        """What two targets should agree on: the answer's fields, the outcome, the pace."""
        fields: dict[str, Plain] = dict(self.answer) if isinstance(self.answer, Mapping) else {"": self.answer}
        return {"(outcome)": self.outcome.value, "(pace)": self.pace.value, **fields}

    def data(self) -> dict[str, Any]:
        """As JSON data."""
        return asdict(self)


def remark(what: str, value: Plain) -> Observation:
    """An observation that is no exchange: a name for what was seen, and the value."""
    return Observation(api="", version=-1, request=what, answer={what: value})
