"""Every invariant, the ledger, the bound of progress and what must hold of parts reject a bug that is planted for them;
without a bug, the same plans pass."""

from __future__ import annotations

import re
from collections.abc import Callable

import broken_parts
import broken_promises
import pytest
from broken_parts import with_unclean_elections
from plans import failures

from reference_broker.simulation.scenario.ledger import AT_THE_END
from reference_broker.simulation.scenario.plan import Plan
from reference_broker.simulation.scenario.run import Scenario

PLANTS = (*broken_promises.PLANTS, *broken_parts.PLANTS)


@pytest.mark.parametrize(("plant", "make", "expected"), PLANTS, ids=lambda one: getattr(one, "__name__", ""))
def test_a_bug_is_found(
    plant: Callable[[pytest.MonkeyPatch], None],
    make: Callable[[int], Plan],
    expected: str,
    plain_python: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plant(monkeypatch)
    assert any(re.search(expected, wrong) for wrong in failures(make))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("make", dict.fromkeys(make for _, make, _ in PLANTS), ids=lambda one: one.__name__)
def test_what_finds_bugs_finds_none_without_them(make: Callable[[int], Plan], seed: int) -> None:
    assert Scenario(make(seed)).run().wrong is None


def test_an_unclean_election_was_made_and_lost_what_was_acknowledged() -> None:
    """What nothing is excused for unless it happens does happen: else the plants above would show nothing."""
    scenario = Scenario(with_unclean_elections(0))
    assert scenario.run().wrong is None
    key = (scenario.logs.unclean.topic_id("t"), 0)
    assert any(
        scenario.logs.unclean.may_lose(key, offset, epoch, AT_THE_END)
        for offset, told in scenario.ledger.acknowledged["t", 0].items()
        for epoch in told.values()
    )
