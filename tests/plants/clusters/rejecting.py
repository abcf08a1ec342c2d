"""The two tests of a check of clusters: it rejects what is wrong by its own assertions, and holds where nothing is.

A file of tests has a fixture `play` that runs a check, and gives these two the cases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from harness.judging.outcome import BrokenPromise


@dataclass(frozen=True, slots=True)
class Case:
    """What `play` is called with, and what the check then says."""

    says: str
    """Parts of it, with " … " between them; empty where the check holds."""
    given: tuple[Any, ...]
    named: Mapping[str, Any]


def wrong(says: str, *given: Any, **named: Any) -> Case:
    """A case that a check rejects."""
    return Case(says, given, named)


def right(*given: Any, **named: Any) -> Case:
    """A case in which a check holds."""
    return Case("", given, named)


def rejected(run: Callable[[], object]) -> str:
    """What a check says as it rejects what is run."""
    with pytest.raises(BrokenPromise) as raised:
        run()
    return raised.value.happened


def rejections(cases: Mapping[str, Case]) -> Callable[..., None]:
    """The test that a check rejects each case, by its name."""

    @pytest.mark.parametrize("case", cases.values(), ids=cases)
    def rejects(play: Callable[..., None], case: Case) -> None:
        happened = rejected(lambda: play(*case.given, **case.named))

        assert [part for part in case.says.split(" … ") if part not in happened] == [], happened

    return rejects


def acceptances(cases: Mapping[str, Case]) -> Callable[..., None]:
    """The test that a check holds in each case, by its name."""

    @pytest.mark.parametrize("case", cases.values(), ids=cases)
    def holds(play: Callable[..., None], case: Case) -> None:
        play(*case.given, **case.named)

    return holds
