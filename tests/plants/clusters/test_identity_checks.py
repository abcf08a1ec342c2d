"""The check of who nodes are holds on a cluster that is right, and rejects each of its bugs."""

from __future__ import annotations

import base64
import inspect
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from checks.metadata import test_node_identity as check
from harness.clients.node_client import Produced
from harness.replicas.metadata_log import MetadataLog
from harness.targets.cluster_view import ClusterView
from harness.targets.node_plan import Role
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.register_broker_record import RegisterBrokerRecord
from reference_broker.wire.messages.topic_record import TopicRecord
from reference_broker.wire.primitives import BrokerId, TopicName, Uuid
from tests.plants.clusters import canned_fixtures
from tests.plants.clusters.metadata_records import ORDERS, partition, recorded
from tests.plants.clusters.rejecting import acceptances, rejections, right, wrong
from tests.plants.clusters.virtual_clock import Clock

OWN_ID = "LMX8mnwVQLaiY-e6pcOIQw"
FOLDERS = {node: [bytes([node, number]) + bytes(14) for number in (1, 2)] for node in (1, 2, 3)}

SECOND = "test_a_second_broker_of_an_id_is_refused"
OTHERS = "test_a_broker_of_another_cluster_is_refused"
FOLDER = "test_a_broker_with_a_folder_of_another_is_refused"
VOTER = "test_a_voter_of_another_cluster_is_refused"
FETCHER = "test_a_fetcher_of_another_cluster_is_refused"
JOINS = "test_a_node_on_the_folder_of_another_cluster_does_not_join"
PLACES = "test_replicas_are_in_the_folders_that_the_metadata_names"

REJECTED = {
    "takes a second broker of an id": (SECOND, "The answer to a second broker with an id should be"),
    "fences the first broker of an id": (SECOND, "What the cluster tells of its brokers should be"),
    "moves a leader for a second broker": (SECOND, "What the cluster tells of its leaders should be"),
    "stops acknowledging": (SECOND, "The answer to a write for all replicas should be"),
    "takes a broker of another cluster": (OTHERS, "The answer to a broker of another cluster should be"),
    "takes a folder twice": (FOLDER, "The answer to a broker with the folder of another should be"),
    "votes for another cluster": (VOTER, "The answer to a candidate of another cluster should be"),
    "resigns for another cluster": (VOTER, "The epoch and leader of the quorum after a vote of another cluster"),
    "serves another cluster": (FETCHER, "The answer to a fetcher of another cluster should be"),
    "joins with any folder": (JOINS, "Node 3 has joined with the folder of another cluster"),
    "stops when another cluster knocks": (JOINS, "The answer to a write meanwhile should be"),
    "names another folder": (PLACES, "every replica is where the metadata says, and that was not so within"),
    "moves on a kill": (PLACES, "The replicas that are not where the metadata says, after a kill"),
}
"""Bug → (the check that rejects it, what that says)."""


class Node:
    """One of three brokers, whose folders are on this machine."""

    roles = (Role.BROKER,)

    def __init__(self, cluster: MemoryCluster, number: int) -> None:
        self._cluster, self.id, self.address = cluster, number, (f"10.0.0.{number}", 9092)
        self.data_dir = cluster.folder / f"{number}-0"
        self.folders = [cluster.folder / f"{number}-{at}" for at in (0, 1)]
        self.is_up = True
        for folder, folder_id in zip(self.folders, FOLDERS[number], strict=True):
            folder.mkdir()
            text = base64.urlsafe_b64encode(folder_id).decode().rstrip("=")
            (folder / "meta.properties").write_text(f"#\ncluster.id={OWN_ID}\ndirectory.id={text}\n")
        self.place(cluster.used(number))

    def place(self, at: int) -> None:
        """Where its replica of orders-0 lies."""
        for number, folder in enumerate(self.folders):
            if (folder / "orders-0").is_dir():
                (folder / "orders-0").rmdir()
            if number == at:
                (folder / "orders-0").mkdir()

    def fetch_log_dirs(self, into: Path) -> list[Path]:
        return self.folders

    def kill(self) -> None:
        if self.is_up and self._cluster.bug == "moves on a kill":
            self.place(1 - self._cluster.used(self.id))
        self.is_up = False

    stop = kill

    def start(self) -> None:
        is_ours = OWN_ID in (self.data_dir / "meta.properties").read_text()
        self.is_up = is_ours or self._cluster.bug == "joins with any folder"

    def is_alive(self) -> bool:
        return self.is_up

    def log_text(self) -> str:
        return (self.data_dir / "meta.properties").read_text()


class MemoryCluster:
    """Three brokers and what their controller answers."""

    def __init__(self, folder: Path, bug: str) -> None:
        self.folder, self.bug = folder, bug
        self.has_answered = False
        self.nodes = tuple(Node(self, number) for number in (1, 2, 3))

    def used(self, number: int) -> int:
        """Which of its two folders its replica of orders-0 lies in."""
        return number % 2

    def view(self, topics: Any = None) -> ClusterView:
        up = tuple(node.id for node in self.nodes if node.is_up)
        is_first_fenced = self.has_answered and self.bug == "fences the first broker of an id"
        is_moved = self.has_answered and self.bug == "moves a leader for a second broker"
        return ClusterView(
            nodes=(1, 2, 3, 101),
            brokers=tuple(one for one in up if one != 2 or not is_first_fenced),
            controllers=(101,),
            active_controller=101,
            leaders={("orders", 0): 2 if is_moved else 1},
            isr={("orders", 0): up},
        )

    def wait_healthy(self) -> None:
        """It is well at once."""

    def log(self) -> MetadataLog:
        """What its controller has written."""
        directories = [FOLDERS[number][self.used(number)] for number in (1, 2, 3)]
        if self.bug == "names another folder":
            directories[1] = FOLDERS[2][1 - self.used(2)]
        brokers = [
            RegisterBrokerRecord(broker_id=BrokerId(number), log_dirs=tuple(map(Uuid, FOLDERS[number])))
            for number in (1, 2, 3)
        ]
        others = [Uuid(FOLDERS[number][1 - self.used(number)]) for number in (1, 2, 3)]
        other_id = Uuid(b"o" * 16)
        topics = [
            TopicRecord(name=TopicName("orders"), topic_id=ORDERS),
            partition(directories=tuple(map(Uuid, directories))),
            TopicRecord(name=TopicName("others"), topic_id=other_id),
            partition(topic_id=other_id, directories=tuple(others)),
        ]
        return MetadataLog(101, recorded([*brokers, *topics]), 0, len(brokers) + len(topics), ())


class Client:
    """Asks the controller or a broker."""

    def __init__(self, cluster: MemoryCluster) -> None:
        self._cluster = cluster

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *ended: object) -> None:
        """Nothing is open."""

    def produce(self, topic: str, *values: str) -> Produced:
        bug = self._cluster.bug
        is_knocked = bug == "stops when another cluster knocks" and not self._cluster.nodes[2].is_up
        is_stopped = bug == "stops acknowledging" and self._cluster.has_answered
        refused = is_knocked or is_stopped
        return Produced(ErrorCode.NOT_ENOUGH_REPLICAS if refused else ErrorCode.NONE, 0)

    def quorum(self) -> tuple[int, int]:
        is_gone = self._cluster.has_answered and self._cluster.bug == "resigns for another cluster"
        return (2, -1) if is_gone else (1, 101)

    def ask(self, api_key: int, version: int, request: Any) -> Any:
        bug, is_other = self._cluster.bug, getattr(request, "cluster_id", "") == check.OTHER_CLUSTER
        if api_key == ApiKey.DESCRIBE_CLUSTER:
            return SimpleNamespace(cluster_id=OWN_ID)
        self._cluster.has_answered = True
        error = ErrorCode.INCONSISTENT_CLUSTER_ID if is_other else ErrorCode.NONE
        if api_key == ApiKey.BROKER_REGISTRATION and not is_other:
            taken = {one for folders in FOLDERS.values() for one in folders}
            if request.broker_id in FOLDERS and bug != "takes a second broker of an id":
                error = ErrorCode.DUPLICATE_BROKER_REGISTRATION
            elif taken & set(map(bytes, request.log_dirs)) and bug != "takes a folder twice":
                error = ErrorCode.INVALID_REGISTRATION
        lax = {
            "takes a broker of another cluster": ApiKey.BROKER_REGISTRATION,
            "votes for another cluster": ApiKey.VOTE,
            "serves another cluster": ApiKey.FETCH,
        }
        return SimpleNamespace(error_code=ErrorCode.NONE if lax.get(bug) == api_key else error, responses=())


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs a check on a cluster that has a bug, or none."""

    def playing(function: str, bug: str = "") -> None:
        cluster = MemoryCluster(tmp_path, bug)
        clock = Clock()

        def restore(cluster: MemoryCluster) -> None:
            for node in cluster.nodes:
                node.start()

        monkeypatch.setattr(check, "NodeClient", lambda address: Client(cluster))
        monkeypatch.setattr(check, "active_controller", lambda cluster: 101)
        monkeypatch.setattr(check, "controllers_of", lambda cluster: {101: ("10.0.0.101", 9093)})
        monkeypatch.setattr(check, "metadata_logs_of", lambda cluster, nodes: [cluster.log()])
        monkeypatch.setattr(check, "restore", restore)
        monkeypatch.setattr(check, "time", clock)
        monkeypatch.setattr("harness.clients.node_client.time", clock)
        given = {
            "cluster": cluster,
            "admin": canned_fixtures.admin(),
            "names": canned_fixtures.names(),
            "record": canned_fixtures.record(),
        }
        code = getattr(check, function)
        code(**{name: given[name] for name in inspect.signature(code).parameters})

    return playing


test_a_check_rejects_the_bug = rejections(
    {bug: wrong(says, function, bug) for bug, (function, says) in REJECTED.items()}
)
test_a_check_holds_on_a_cluster_that_is_right = acceptances(
    {function: right(function) for function, _ in sorted(REJECTED.values())}
)
