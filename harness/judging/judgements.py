"""Counts the assertions that have passed in this process.

A check that only sends requests and asserts nothing must not count as held. `require`, the expectations of an exchange
and, through pytest, each `assert` in a check's own file are counted here. The plugin compares the count before and
after a check.
"""

from __future__ import annotations


class _Judgements:
    made = 0


def note_judgement() -> None:
    """Counts an assertion that has passed."""
    _Judgements.made += 1


def judgements() -> int:
    """The number of assertions passed so far."""
    return _Judgements.made
