"""Assertions about how a request ended and how soon, as opposed to the answer's fields. Pure.

They raise AssertionError explicitly, because an `assert` here could be counted as one of the check's own
(harness/judging/judgements.py).
"""

from __future__ import annotations

from harness.comparing.observation import Observation, Pace, RequestOutcome
from harness.judging.judgements import note_judgement


def _asked_for(seen: Observation, words: str) -> str:
    return f"{seen.api} v{seen.version} ({words})"


def require_outcome(seen: Observation, wanted: RequestOutcome, words: str) -> None:
    """AssertionError if a request had another outcome."""
    if seen.outcome is not wanted:
        raise AssertionError(f"{_asked_for(seen, words)}: {seen.outcome}, expected: {wanted}")
    note_judgement()


def require_answer(seen: Observation, words: str, pace: Pace | None) -> None:
    """AssertionError if there was no answer or, unless `pace` is None, if it came at another pace."""
    if seen.outcome is not RequestOutcome.ANSWERED:
        raise AssertionError(f"{_asked_for(seen, words)}: {seen.outcome}")
    if pace is None:
        return
    if seen.pace is not pace:
        raise AssertionError(f"{_asked_for(seen, words)}: pace of the answer: {seen.pace}, expected: {pace}")
    note_judgement()
