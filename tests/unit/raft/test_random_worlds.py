"""Random faults from seeds. A seed that fails is replayed alone; its cause goes into a transcript or a test here."""

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


def test_a_log_that_lost_a_truncation_in_a_crash_does_not_win_by_an_epoch_that_it_lost_too() -> None:
    # The leader-epoch checkpoint is durable before the batches are. It named epoch 2 for batches of epoch 1, so a
    # member with these won an election against a longer log of epoch 2.
    Scenario(26).run()


def test_an_observer_whose_leader_is_silent_does_not_hold_up_an_election() -> None:
    # By a candidate's log it was a voter already; having fetched once it refused pre-votes for ever.
    Membership(35).run()
