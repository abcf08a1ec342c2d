"""The check of settings of deleted topics holds on nodes that are right, and rejects a node that keeps old settings."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from checks.metadata import test_deleted_topics_leave_no_settings as check
from harness.judging.outcome import BrokenPromise
from harness.targets.node_plan import Role
from reference_broker.wire.errors import ErrorCode
from tests.plants.clusters import canned_fixtures
from tests.plants.clusters.cluster_in_memory import Clock

THERE = "test_every_node_tells_no_settings_of_the_topic_before"
AWAY = "test_a_node_that_was_away_tells_no_settings_of_the_topic_before"


class MemoryCluster:
    """Three nodes, of which the last may keep settings of deleted topics."""

    def __init__(self, version: str, *, keeps: bool) -> None:
        self._version, self.keeps = version, keeps
        self.known: dict[int, dict[str, dict[str, str]]] = {1: {}, 2: {}, 3: {}}
        self.nodes = tuple(
            SimpleNamespace(id=number, roles=(Role.BROKER,), address=(f"10.0.0.{number}", 1), kill=lambda: None)
            for number in (1, 2, 3)
        )

    def version(self) -> str:
        return self._version

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
    """Runs a check on a cluster of a release, whose third node may keep settings."""

    def playing(function: str, version: str, *, keeps: bool) -> None:
        cluster = MemoryCluster(version, keeps=keeps)
        monkeypatch.setattr(check, "NodeAdmin", lambda address: Client(cluster, int(address[0][-1])))
        monkeypatch.setattr(check, "restore", lambda cluster: None)
        monkeypatch.setattr(check, "time", Clock())
        given = [cluster, canned_fixtures.names()]
        if function == AWAY:
            given.append(canned_fixtures.record())
        getattr(check, function)(*given)

    return playing


@pytest.mark.parametrize(("function", "version"), [(THERE, "4.3.1"), (AWAY, "4.9.0")])
def test_a_node_that_keeps_old_settings_is_rejected(play: Callable[..., None], function: str, version: str) -> None:
    with pytest.raises(BrokenPromise) as raised:
        play(function, version, keeps=True)

    assert "made again with none, on node 3 should be {}" in raised.value.happened


def test_a_release_that_is_known_for_it_is_told_as_such(play: Callable[..., None]) -> None:
    with pytest.raises(
        pytest.skip.Exception, match=r"a bug of Kafka 4\.3\.1 that is not fixed: The settings of orders"
    ):
        play(AWAY, "4.3.1", keeps=True)


@pytest.mark.parametrize("function", [THERE, AWAY])
def test_nodes_that_keep_nothing_are_accepted(play: Callable[..., None], function: str) -> None:
    play(function, "4.3.1", keeps=False)
