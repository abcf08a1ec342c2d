"""The metadata quorum in a world of its own: faults from seeds, on disks that forget names and tear bytes."""

from __future__ import annotations

import pytest
from quorum_machine import run_scenario


@pytest.mark.parametrize("seed", range(12))
def test_a_quorum_of_three_keeps_its_promises(seed: int) -> None:
    assert run_scenario(seed).committed


@pytest.mark.parametrize("seed", range(4))
def test_a_quorum_of_five_keeps_its_promises(seed: int) -> None:
    assert run_scenario(seed, count=5).committed


def test_the_same_seed_gives_the_same_history() -> None:
    histories = [run_scenario(3, is_recorded=True).world.reporter.lines for _ in range(2)]
    assert histories[0] == histories[1]


def test_members_that_are_behind_get_a_snapshot() -> None:
    assert sum(run_scenario(seed).snapshots_told for seed in range(3)) > 0
