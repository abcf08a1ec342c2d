"""Observations: a request in words, the answer to it, how it ended, and how soon.

Requests and answers are kept in normal form (harness/comparing/normal_form.py), so that observations on two targets can
be compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

Plain = None | bool | int | float | str | Sequence["Plain"] | Mapping[str, "Plain"]
"""JSON data."""


class RequestOutcome(StrEnum):
    """How a request ended."""

    ANSWERED = "answered"
    CLOSED = "connection closed"
    SILENT = "no answer"


class Pace(StrEnum):
    """Whether an answer came at once or was held back; coarse, so that different machines can be compared."""

    AT_ONCE = "at once"
    WAITED = "waited"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One request and its answer, or another value that a check observed."""

    api: str
    """Name of the API, like "OffsetFetch"; empty if this is not an exchange."""
    version: int
    """Version of the API; -1 if this is not an exchange."""
    request: str
    """The request, in words."""
    sent: Plain = None
    """The request's fields in normal form."""
    outcome: RequestOutcome = RequestOutcome.ANSWERED
    answer: Plain = None
    """The response's fields in normal form; None without a response."""
    pace: Pace = Pace.AT_ONCE

    def compared(self) -> dict[str, Plain]:
        """What is compared between targets: the answer's fields, the outcome and the pace."""
        fields: dict[str, Plain] = dict(self.answer) if isinstance(self.answer, Mapping) else {"": self.answer}
        return {"(outcome)": self.outcome.value, "(pace)": self.pace.value, **fields}

    def data(self) -> dict[str, Any]:
        """As JSON data."""
        return asdict(self)


def remark(what: str, value: Plain) -> Observation:
    """An observation that is not an exchange: a name and a value."""
    return Observation(api="", version=-1, request=what, answer={what: value})
