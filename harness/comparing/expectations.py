"""What a check may expect of a request beside its answer's fields. Pure.

It raises by hand: an `assert` here could pass for one of the check's own (harness/judging/judgements.py).
"""

from __future__ import annotations

from harness.comparing.observation import Observation, Pace, RequestOutcome
from harness.judging.judgements import note_judgement


def _asked_for(seen: Observation, words: str) -> str:
    return f"{seen.api} v{seen.version} ({words})"


def require_outcome(seen: Observation, wanted: RequestOutcome, words: str) -> None:
    """AssertionError when something else became of a request."""
    if seen.outcome is not wanted:
        raise AssertionError(f"{_asked_for(seen, words)}: {seen.outcome}, expected: {wanted}")
    note_judgement()


def require_answer(seen: Observation, words: str, pace: Pace | None) -> None:
    """AssertionError when there was no answer, or one at another pace than is wanted."""
    if seen.outcome is not RequestOutcome.ANSWERED:
        raise AssertionError(f"{_asked_for(seen, words)}: {seen.outcome}")
    if pace is None:
        return
    if seen.pace is not pace:
        raise AssertionError(f"{_asked_for(seen, words)}: pace of the answer: {seen.pace}, expected: {pace}")
    note_judgement()
