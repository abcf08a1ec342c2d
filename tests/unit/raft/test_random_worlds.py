"""Random faults from seeds. A seed that fails is replayed alone; its cause goes into a transcript."""

from __future__ import annotations

import pytest
from scenarios import Membership, Scenario


@pytest.mark.parametrize("seed", range(40))
def test_what_must_hold_holds_in_a_random_world(seed: int) -> None:
    Scenario(seed).run()


@pytest.mark.parametrize("seed", range(20))
def test_what_must_hold_holds_while_voters_come_and_go(seed: int) -> None:
    Membership(seed).run()


@pytest.mark.long
@pytest.mark.parametrize("hundred", range(30))
def test_what_must_hold_holds_in_many_random_worlds(hundred: int) -> None:
    for seed in range(100 * hundred, 100 * hundred + 100):
        Scenario(seed).run()
        Membership(seed).run()
