"""The check of the metadata log accepts a log that is right, and rejects what is wrong by its own assertions."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from checks.metadata import test_metadata_log as check
from harness.judging.outcome import Unproven
from harness.replicas.metadata_log import MetadataLog
from harness.replicas.metadata_state import replayed
from harness.targets.node_plan import Role
from tests.plants.clusters.metadata_records import UNSOUND, WRONG_SNAPSHOTS, log, other_log
from tests.plants.clusters.rejecting import acceptances, rejected, rejections, right, wrong
from tests.plants.clusters.virtual_clock import Clock

RIGHT = check.promised(replayed(log().records))
TELLS_OTHERWISE = {
    "another leader": {"partition orders-0": (3, 5, (1, 2, 3), (2, 3))},
    "another ISR": {"partition orders-0": (2, 5, (1, 2, 3), (2,))},
    "another id": {"topic orders": "00" * 16},
    "no settings": {"settings of orders": {}},
    "fewer brokers": {"brokers": [1, 2]},
    "a topic more": {"topic ghosts": "00" * 16},
}


def judge(one: MetadataLog, *others: MetadataLog) -> None:
    """As the check does it."""
    check.require_sound(one)
    check.require_snapshots(one)
    check.require_same_records([one, *others])


@pytest.mark.parametrize("name", UNSOUND)
def test_a_wrong_log_is_rejected(name: str) -> None:
    messages, says = UNSOUND[name]

    assert says in rejected(lambda: judge(log(messages)))


@pytest.mark.parametrize("name", WRONG_SNAPSHOTS)
def test_a_wrong_snapshot_is_rejected(name: str) -> None:
    said = rejected(lambda: judge(WRONG_SNAPSHOTS[name]()))

    assert "All records, and the snapshot of node 1 at 6, tell different things" in said


def test_nodes_with_different_records_are_rejected() -> None:
    assert "Nodes 1 and 2 hold different metadata at offset 7" in rejected(lambda: judge(log(), other_log()))


def test_a_log_without_a_snapshot_inside_proves_nothing() -> None:
    with pytest.raises(Unproven):
        judge(log(end=0))


def test_a_right_log_is_accepted() -> None:
    judge(log(), log(node=2))


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the part of the check that asks every node, of which the second tells something else."""

    def playing(otherwise: dict[str, Any]) -> None:
        nodes = tuple(SimpleNamespace(id=n, address=(f"10.0.0.{n}", 1), roles=(Role.BROKER,)) for n in (1, 2))

        class Client:
            def __init__(self, address: tuple[str, int]) -> None:
                self.tells = RIGHT | (otherwise if address == nodes[1].address else {})

            def __enter__(self) -> Client:
                return self

            def __exit__(self, *ended: object) -> None:
                """Nothing is open."""

        monkeypatch.setattr(check, "NodeAdmin", Client)
        monkeypatch.setattr(check, "told_by", lambda client, topics: client.tells)
        monkeypatch.setattr(check, "metadata_logs_of", lambda cluster, nodes: [log()])
        monkeypatch.setattr(check, "time", Clock())
        check.require_all_tell_it(SimpleNamespace(nodes=nodes))  # type: ignore[arg-type]

    return playing


test_a_node_that_tells_otherwise_is_rejected = rejections(
    {name: wrong("What node 2 tells, as the metadata log says,", told) for name, told in TELLS_OTHERWISE.items()}
)
test_nodes_that_tell_what_the_log_says_are_accepted = acceptances({"right": right({})})
