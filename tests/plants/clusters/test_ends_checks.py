"""The check of the ends of a log holds on a partition that is right, and rejects each of its bugs."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from checks.ordering import test_ends_never_go_back as check
from harness.clients.leader_connections import EARLIEST
from harness.clients.node_client import Produced
from harness.judging.outcome import Unproven
from harness.targets.cluster_view import ClusterView
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from tests.plants.clusters import canned_fixtures
from tests.plants.clusters.rejecting import acceptances, rejections, right, wrong
from tests.plants.clusters.virtual_clock import Clock

REJECTED = {
    "a new leader is behind": "The last offset goes back from",
    "a new leader is behind for committed readers": "The committed last offset goes back from",
    "a new leader brings back what was deleted": "The first offset goes back from",
    "the high watermark goes back": "The high watermark goes back from",
    "the last stable offset goes back": "The last stable offset goes back from",
    "the log start goes back": "The log start goes back from",
    "the log end goes back": "The log end goes back from",
    "the log end is below the high watermark": "The ends are out of order",
    "a follower's high watermark goes back": "The high watermark goes back from … (the replica on node 3",
    "a follower's last stable offset goes back": "The last stable offset goes back from … (the replica on node 3",
    "a follower's log start goes back": "The log start goes back from … (the replica on node 3",
    "a follower's log end goes back": "The log end goes back from … (the replica on node 3",
    "a follower's log end is below its high watermark": "The ends are out of order … (the replica on node 3",
    "a new follower cuts off what is committed": "The log end goes back from … it held all that was committed below",
    "the quorum's high watermark goes back": "The high watermark goes back from … (the metadata log",
    "a replica of the quorum goes back": "The log end goes back from … (node 2's of the metadata log",
    "nothing is taken": "took 0 of 40 writes for all replicas within",
}
"""Bug → what the check says, in parts."""
EVERY = 7
"""So many requests after another a bug shows."""


class Partition:
    """orders-0 of three replicas (Cluster)."""

    def __init__(self, bug: str) -> None:
        self.bug, self.leader, self.epoch, self.start, self.end, self.asked = bug, 1, 0, 0, 0, 0
        self.asked_of_followers = self.asked_of_quorum = 0
        self.nodes = tuple(Node(self, number) for number in (1, 2, 3))

    def view(self, topics: Any = None) -> ClusterView:
        where = ("orders", 0)
        return ClusterView(
            nodes=(1, 2, 3),
            brokers=(1, 2, 3),
            leaders={where: self.leader},
            leader_epochs={where: self.epoch},
            replicas={where: (1, 2, 3)},
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
    """Asks a node, which answers for its own log where a debugger asks it."""

    def __init__(self, partition: Partition, node: int) -> None:
        self._partition, self._node = partition, node

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
        if api_key == ApiKey.DELETE_RECORDS:
            now.start = request.topics[0].partitions[0].offset
            return _answer(error_code=0)
        if api_key == ApiKey.DESCRIBE_QUORUM:
            return self._of_quorum()
        if self._node != now.leader:
            return self._of_follower(api_key, request)
        now.asked += 1
        shows, is_new = now.asked % EVERY == 0, now.epoch > 0
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

    def _of_follower(self, api_key: int, request: Any) -> Any:
        """Its own log's ends, which are the leader's; node 3 has the bugs."""
        now = self._partition
        now.asked_of_followers += 1
        bug = now.bug if self._node == 3 else ""
        shows = now.asked_of_followers % EVERY == 0
        if api_key == ApiKey.FETCH:
            behind = 100 if shows else 0
            found = _answer(
                error_code=0,
                log_start_offset=-1 if bug == "a follower's log start goes back" and shows else now.start,
                last_stable_offset=now.end - (behind if bug == "a follower's last stable offset goes back" else 0),
                high_watermark=now.end - (behind if bug == "a follower's high watermark goes back" else 0),
            )
            return SimpleNamespace(responses=found.topics)
        if request.topics[0].partitions[0].timestamp == EARLIEST:
            return _answer(0, now.start)
        if bug == "a new follower cuts off what is committed" and now.epoch > 0:
            return _answer(0, 5)
        wrong = 100 if bug == "a follower's log end goes back" and shows else 0
        return _answer(0, now.end - wrong - (bug == "a follower's log end is below its high watermark"))

    def _of_quorum(self) -> Any:
        """What the metadata log's leader tells."""
        now = self._partition
        now.asked_of_quorum += 1
        behind = 1 if now.asked_of_quorum % EVERY == 0 else 0
        voters = [
            SimpleNamespace(
                replica_id=number,
                log_end_offset=10 - (behind if now.bug == "a replica of the quorum goes back" and number == 2 else 0),
            )
            for number in (1, 2, 3)
        ]
        return _answer(
            0,
            leader_id=1,
            leader_epoch=4,
            high_watermark=10 - (behind if now.bug == "the quorum's high watermark goes back" else 0),
            current_voters=voters,
            observers=[],
        )


def _answer(error_code: int, offset: int = -1, **more: Any) -> Any:
    found = SimpleNamespace(error_code=error_code, offset=offset, **more)
    return SimpleNamespace(topics=[SimpleNamespace(partitions=[found])])


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs the check on a partition that has a bug, or none."""

    def playing(bug: str = "") -> None:
        partition: Any = Partition(bug)
        monkeypatch.setattr(check, "NodeClient", lambda address, **more: Client(partition, int(address[0][-1])))
        monkeypatch.setattr(check, "restore", lambda cluster: None)
        monkeypatch.setattr(check, "time", Clock())
        check.test_ends_never_go_back(
            partition,
            canned_fixtures.admin(),
            canned_fixtures.names(),
            canned_fixtures.record(),
        )

    return playing


test_a_check_rejects_the_bug = rejections({bug: wrong(says, bug) for bug, says in REJECTED.items()})
test_the_check_holds_on_a_partition_that_is_right = acceptances({"right": right()})


def test_a_leader_that_stays_proves_nothing(play: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Partition, "elect", lambda partition, other_than: None)

    with pytest.raises(Unproven):
        play()
