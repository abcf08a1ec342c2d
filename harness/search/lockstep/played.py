"""Counts what was played on a target, and decides whether it was enough for a verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from harness.judging.checkers.ruling import counted
from harness.judging.verdicts import Validity, Verdict


@dataclass(slots=True)
class Played:
    """Counters of what was played."""

    steps: int = 0
    answers: int = 0
    """Answers that the model judged."""
    refusals: int = 0
    """Answers with an error code."""
    sound: Counter[str] = field(default_factory=Counter)
    """API name → number of answers without an error."""
    waits: int = 0
    """Requests that the model expected to wait, and that had no answer yet."""
    library: int = 0
    """Steps carried out by confluent-kafka."""
    restarts: int = 0
    after_restart: int = 0
    """Answers judged since the first restart."""

    def count_answer(self, api: str, response: Any) -> None:
        """Counts a judged answer."""
        self.answers += 1
        self.after_restart += bool(self.restarts)
        if any(_codes(response)):
            self.refusals += 1
        else:
            self.sound[api] += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LeastPlayed:
    """The minimum that must have been played for a verdict."""

    answers: int = 50
    refusals: int = 1
    sound: tuple[str, ...] = ()
    """Names of APIs that must have been answered without an error at least once."""
    waits: int = 0
    library: int = 0
    restarts: int = 0
    after_restart: int = 0


def lacking(played: Played, least: LeastPlayed) -> Iterator[str]:
    """Which counters are below the minimum, a phrase each."""
    for name in ("answers", "refusals", "waits", "library", "restarts", "after_restart"):
        found, wanted = getattr(played, name), getattr(least, name)
        if found < wanted:
            yield f"{found:,} {_WORDS[name]}, and {wanted:,} are needed"
    for api in least.sound:
        if not played.sound[api]:
            yield f"no {api} was answered without an error"


def activity(played: Played, least: LeastPlayed) -> Verdict:
    """The verdict on the activity: unknown if less was played than required, else valid. `rests_on` has the counts."""
    sound = ", ".join(f"{api} {count:,}" for api, count in sorted(played.sound.items()))
    told = [
        counted(played.steps, "step"),
        f"{counted(played.answers, 'answer')} judged, {played.refusals:,} of them refusals",
        f"without an error: {sound or 'none'}",
        *(
            f"{getattr(played, name):,} {_WORDS[name]}"
            for name in ("waits", "library", "restarts")
            if getattr(least, name)
        ),
    ]
    missing = "; ".join(lacking(played, least))
    return Verdict(
        checker="activity",
        validity=Validity.UNKNOWN if missing else Validity.VALID,
        reason=missing,
        rests_on="; ".join(told),
    )


_WORDS = {
    "answers": "answers judged",
    "refusals": "refusals",
    "waits": "requests that had to wait",
    "library": "calls by confluent-kafka",
    "restarts": "restarts",
    "after_restart": "answers after a restart",
}


def _codes(value: Any) -> Iterator[int]:
    """The error codes in an answer."""
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            inner = getattr(value, name)
            if name.endswith("error_code") and isinstance(inner, int):
                yield inner
            else:
                yield from _codes(inner)
    elif isinstance(value, (tuple, list)):
        for inner in value:
            yield from _codes(inner)
