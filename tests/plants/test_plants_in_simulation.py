"""Bugs are found by `python -m harness simulate` within some seeds, by the invariant that their headers name; without a
bug the same seeds pass.

After how many seeds each was found when it was last measured stands in README.md. A few are looked for by every
`make test`, all of them by `make nightly`.
"""

from __future__ import annotations

import pytest

from tests.plants._catalogue import said_by_simulation, simulated
from tests.plants._simulated_search import search

FEW = (
    "acknowledges_before_replication",
    "commits_what_one_has",
    "elects_who_was_not_in_sync",
    "is_elected_by_a_minority",
    "loses_a_record_of_a_snapshot",
)
"""Each is found by one of the first seeds."""
MOST_SEEDS = 150
"""Each bug has been seen within fewer."""


@pytest.mark.parametrize(
    "plant", [one if one in FEW else pytest.param(one, marks=pytest.mark.long) for one in simulated()]
)
def test_a_bug_is_found_by_simulation(plant: str) -> None:
    found = search(plant, MOST_SEEDS)

    assert found is not None, f"{plant}: nothing was found in {MOST_SEEDS} seeds"
    print(f"{plant}: seed {found.seed}, {found.seconds:.1f} s: {found.said}")
    assert any(words in found.said for words in said_by_simulation(plant))


def test_clusters_without_a_bug_pass() -> None:
    assert search("", 5) is None
