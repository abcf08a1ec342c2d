"""The check of the ends of a log holds on a partition that is right, and rejects each of its bugs."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from checks.ordering import test_ends_never_go_back as check
from harness.clients.leader_connections import EARLIEST
from harness.clients.node_client import Produced
from harness.judging.outcome import BrokenPromise, Unproven
from harness.targets.cluster_view import ClusterView
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from tests.plants.clusters import canned_fixtures
from tests.plants.clusters.cluster_in_memory import Clock

REJECTED = {
    "a new leader is behind": "The last offset goes back from",
    "a new leader is behind for committed readers": "The committed last offset goes back from",
    "a new leader brings back what was deleted": "The first offset goes back from",
    "the high watermark goes back": "The high watermark goes back from",
    "the last stable offset goes back": "The last stable offset goes back from",
    "the log start goes back": "The log start goes back from",
    "the log end goes back": "The log end goes back from",
    "the log end is below the high watermark": "The ends are out of order",
    "nothing is taken": "took 0 of 40 writes for all replicas within",
}
"""Bug → what the check says."""
EVERY = 7
"""So many requests after another a bug shows."""


class Partition:
    """orders-0 of three replicas (Cluster)."""

    def __init__(self, bug: str) -> None:
        self.bug, self.leader, self.epoch, self.start, self.end, self.asked = bug, 1, 0, 0, 0, 0
        self.nodes = tuple(Node(self, number) for number in (1, 2, 3))

    def view(self, topics: Any = None) -> ClusterView:
        where = ("orders", 0)
        return ClusterView(
            nodes=(1, 2, 3), brokers=(1, 2, 3), leaders={where: self.leader}, leader_epochs={where: self.epoch}
        )

    def wait_healthy(self) -> None:
        """It is well at once."""

    def elect(self, other_than: int) -> None:
        """Another node leads; it may be behind."""
        self.leader, self.epoch = next(node.id for node in self.nodes if node.id != other_than), self.epoch + 1


class Node:
    """A node that may be killed."""

    def __init__(self, partition: Partition, number: int) -> None:
        self._partition, self.id, self.address = partition, number, (f"10.0.0.{number}", 9092)

    def kill(self) -> None:
        self._partition.elect(self.id)

    def start(self) -> None:
        """It follows at once."""

    def wait_ready(self) -> None:
        """It is ready at once."""


class Client:
    """Asks the leader, whoever it is."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *ended: object) -> None:
        """Nothing is open."""

    def produce(self, topic: str, *values: str, **more: Any) -> Produced:
        if self._partition.bug == "nothing is taken":
            return Produced(ErrorCode.NOT_ENOUGH_REPLICAS, -1)
        self._partition.end += len(values)
        return Produced(ErrorCode.NONE, self._partition.end)

    def ask(self, api_key: int, version: int, request: Any) -> Any:
        now, bug = self._partition, self._partition.bug
        now.asked += 1
        shows, is_new = now.asked % EVERY == 0, now.epoch > 0
        if api_key == ApiKey.DELETE_RECORDS:
            now.start = request.topics[0].partitions[0].offset
            return _answer(error_code=0)
        if api_key == ApiKey.FETCH:
            behind = 100 if shows else 0
            found = _answer(
                error_code=0,
                log_start_offset=-1 if bug == "the log start goes back" and shows else now.start,
                last_stable_offset=now.end - (behind if bug == "the last stable offset goes back" else 0),
                high_watermark=now.end - (behind if bug == "the high watermark goes back" else 0),
            )
            return SimpleNamespace(responses=found.topics)
        wanted = request.topics[0].partitions[0]
        if wanted.timestamp == EARLIEST:
            return _answer(0, 0 if bug == "a new leader brings back what was deleted" and is_new else now.start)
        offset = now.end
        if request.replica_id == check.DEBUGGER:
            offset -= 100 if bug == "the log end goes back" and shows else 0
            offset -= 1 if bug == "the log end is below the high watermark" else 0
        elif bug == f"a new leader is behind{' for committed readers' if request.isolation_level else ''}" and is_new:
            offset = 5
        return _answer(0, offset)


def _answer(error_code: int, offset: int = -1, **more: int) -> Any:
    found = SimpleNamespace(error_code=error_code, offset=offset, **more)
    return SimpleNamespace(topics=[SimpleNamespace(partitions=[found])])


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs the check on a partition that has a bug, or none."""

    def playing(bug: str = "") -> None:
        partition: Any = Partition(bug)
        monkeypatch.setattr(check, "NodeClient", lambda address, **more: Client(partition))
        monkeypatch.setattr(check, "restore", lambda cluster: None)
        monkeypatch.setattr(check, "time", Clock())
        check.test_ends_never_go_back(
            partition,
            canned_fixtures.admin(),
            canned_fixtures.names(),
            canned_fixtures.record(),
        )

    return playing


@pytest.mark.parametrize("bug", REJECTED)
def test_a_check_rejects_the_bug(play: Callable[..., None], bug: str) -> None:
    with pytest.raises(BrokenPromise) as raised:
        play(bug)

    assert REJECTED[bug] in raised.value.happened


def test_the_check_holds_on_a_partition_that_is_right(play: Callable[..., None]) -> None:
    play()


def test_a_leader_that_stays_proves_nothing(play: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Partition, "elect", lambda partition, other_than: None)

    with pytest.raises(Unproven):
        play()
