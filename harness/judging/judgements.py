"""How often something was found to be as it should be, in this process.

A check that only asks and looks at nothing must not count as one that held. `require`, the expectations of an exchange
and, through pytest, every `assert` of a check's own file are counted here; the plugin compares the count before and
after.
"""

from __future__ import annotations


class _Judgements:
    made = 0


def note_judgement() -> None:
    """Something was looked at, and found to be as it should be."""
    _Judgements.made += 1


def judgements() -> int:
    """How many so far."""
    return _Judgements.made
