"""Differences between neighbouring releases of Apache Kafka that a search found show when their scripts are replayed.

The quick ones only, unless TESTS=all is set: each pair needs two nodes and the jars of two releases.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.pytest_plugin.lacking import skip_for
from harness.search.lockstep.clusters import opened
from harness.search.lockstep.lockstep import Lockstep
from harness.search.lockstep.player import Player
from harness.search.neighbours.findings import Finding, actions_of, read_findings
from harness.search.neighbours.items import item_of
from harness.search.neighbours.readiness import await_coordinators
from harness.search.neighbours.replay import PATIENCE_S, SETTLE_S, TRIES, all_differences
from harness.targets.target import resolve

FOLDER = Path(__file__).resolve().parents[1] / "vectors" / "neighbours"
KEPT = [one for one in read_findings(FOLDER) if one.is_quick or os.environ.get("TESTS") == "all"]
PAIRS = list(dict.fromkeys((one.older, one.newer, *one.settings.items()) for one in KEPT))
"""(older release, newer release, settings of both)."""

Pair = tuple[Player, Player]


@pytest.fixture(scope="module", params=PAIRS, ids=lambda pair: "-".join(map(str, pair[:2])))
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[Any, Pair]]:
    older, newer, *settings = request.param
    for release in (older, newer):
        if (lack := resolve(f"kafka@{release}").lack()) is not None:
            skip_for(lack)
    with opened([f"kafka@{older}", f"kafka@{newer}"], dict(settings)) as sides:
        for one in sides:
            await_coordinators(one.cluster.bootstrap)
        first, second = (Player(one, PATIENCE_S, SETTLE_S) for one in sides)
        yield request.param, (first, second)
        first.close()
        second.close()


@pytest.mark.long
def test_what_a_later_release_changed_is_seen_again(pair: tuple[Any, Pair]) -> None:
    key, players = pair
    kept = [one for one in KEPT if (one.older, one.newer, *one.settings.items()) == key]

    assert [one.script for one in kept if not _shows(players, one)] == []


def _shows(players: Pair, kept: Finding) -> bool:
    """Whether the first thing that the script was kept for differs, in one of some tries."""
    actions = actions_of(FOLDER / kept.script)
    tries = (all_differences(Lockstep(players), actions) for _ in range(TRIES))
    return any(kept.items[0] in map(item_of, found) for found in tries)
