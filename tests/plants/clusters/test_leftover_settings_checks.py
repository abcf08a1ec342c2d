"""The check of settings of deleted topics holds on nodes that are right, and rejects a node that keeps old settings."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from checks.metadata import test_deleted_topics_leave_no_settings as check
from harness.catalogue import ROOT
from harness.known_bugs import KNOWN_BUGS_FILE, read_known_bugs
from harness.targets.node_plan import Role
from reference_broker.wire.errors import ErrorCode
from tests.plants.clusters import canned_fixtures
from tests.plants.clusters.rejecting import acceptances, rejected, rejections, right, wrong
from tests.plants.clusters.virtual_clock import Clock

THERE = "test_every_node_tells_no_settings_of_the_topic_before"
AWAY = "test_a_node_that_was_away_tells_no_settings_of_the_topic_before"
FILE = "metadata/deleted_topics_leave_no_settings"
BUGS = read_known_bugs(ROOT / "checks" / KNOWN_BUGS_FILE)


class MemoryCluster:
    """Three nodes, of which the last may keep settings of deleted topics."""

    def __init__(self, *, keeps: bool) -> None:
        self.keeps = keeps
        self.known: dict[int, dict[str, dict[str, str]]] = {1: {}, 2: {}, 3: {}}
        self.nodes = tuple(
            SimpleNamespace(id=number, roles=(Role.BROKER,), address=(f"10.0.0.{number}", 1), kill=lambda: None)
            for number in (1, 2, 3)
        )

    def wait_healthy(self) -> None:
        """It is well at once."""


class Client:
    """Asks one node."""

    def __init__(self, cluster: MemoryCluster, number: int) -> None:
        self._cluster, self._id = cluster, number

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *ended: object) -> None:
        """Nothing is open."""

    def create_topic(self, name: str, partitions: int, replicas: int, config: Any = None) -> ErrorCode:
        for topics in self._cluster.known.values():
            topics[name] = topics.get(name, {}) | dict(config or {})
        return ErrorCode.NONE

    def delete_topic(self, name: str) -> ErrorCode:
        for node, topics in self._cluster.known.items():
            if node != 3 or not self._cluster.keeps:
                del topics[name]
        return ErrorCode.NONE

    def own_config(self, name: str) -> dict[str, str] | None:
        return self._cluster.known[self._id].get(name)


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs a check on a cluster whose third node may keep settings."""

    def playing(function: str, *, keeps: bool) -> None:
        cluster = MemoryCluster(keeps=keeps)
        monkeypatch.setattr(check, "NodeAdmin", lambda address: Client(cluster, int(address[0][-1])))
        monkeypatch.setattr(check, "restore", lambda cluster: None)
        monkeypatch.setattr(check, "time", Clock())
        given = [cluster, canned_fixtures.names()]
        if function == AWAY:
            given.append(canned_fixtures.record())
        getattr(check, function)(*given)

    return playing


test_a_node_that_keeps_old_settings_is_rejected = rejections(
    {one: wrong("made again with none, on node 3 should be {}", one, keeps=True) for one in (THERE, AWAY)}
)
test_nodes_that_keep_nothing_are_accepted = acceptances({one: right(one, keeps=False) for one in (THERE, AWAY)})


def test_the_bug_of_kafka_is_known_by_what_the_check_says(play: Callable[..., None]) -> None:
    said = rejected(lambda: play(AWAY, keeps=True))

    bug = BUGS.behind(f"{FILE}::{AWAY.removeprefix('test_')}", "4.3.1", said)
    assert bug is not None


def test_nodes_that_are_right_show_that_the_entry_is_out_of_date(play: Callable[..., None]) -> None:
    play(AWAY, keeps=False)

    (complaint,) = BUGS.complaints([(f"{FILE}::{AWAY.removeprefix('test_')}", "kafka@4.3.1", "4.3.1")])
    assert "it is no longer broken" in complaint
