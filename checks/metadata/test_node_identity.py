"""A node cannot take another node's identity, and replicas are in the folders that the metadata names.

**Claim** A second broker with the id of one that is running is refused with DUPLICATE_BROKER_REGISTRATION. The
registration of a broker, a Vote request and a Fetch request with another cluster id are refused with
INCONSISTENT_CLUSTER_ID, and a broker with the log folder of another broker is refused with INVALID_REGISTRATION. These
requests change neither the quorum nor the registered brokers nor a leader, and the cluster still acknowledges writes
with acks=all. A node that is started on the folder of another cluster does not join; meanwhile the others still
acknowledge such writes. Each replica is in the folder that the metadata names for it, also after a node was killed and
restarted.

**Why it matters** Two nodes with the same id could overwrite each other's records, and a disk in the wrong machine
could bring in the metadata of another cluster.

**Kafka says** KIP-631 (registration), KIP-595 (cluster id in Vote and Fetch), KIP-858 (folders in the metadata).

**Cannot see** two processes on one folder: the operating system locks the folder.

**Rejects** tests/plants/clusters/test_identity_checks.py::test_a_check_rejects_the_bug,
tests/plants/brokers/registers_a_second_broker_of_an_id.py
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.clients.controllers import active_controller, controllers_of
from harness.clients.leader_connections import RawAdmin
from harness.clients.node_client import NodeClient, until
from harness.hosts import cluster_time as time
from harness.judging.outcome import BrokenPromise, Unproven, require
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.record import CheckRecord
from harness.replicas.collecting import metadata_logs_of
from harness.replicas.metadata_state import MetadataState, replayed
from harness.targets import leftovers
from harness.targets.node_plan import Role
from harness.targets.target import Cluster, Node
from nemesis.restore import restore
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.broker_registration_request import (
    BrokerRegistrationRequest,
    Feature,
    Listener,
)
from reference_broker.wire.messages.describe_cluster_request import DescribeClusterRequest
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchRequest, FetchTopic
from reference_broker.wire.messages.register_broker_record import RegisterBrokerRecord
from reference_broker.wire.messages.vote_request import PartitionData, TopicData, VoteRequest
from reference_broker.wire.primitives import BrokerId, TopicName, Uuid

pytestmark = [
    pytest.mark.cluster(nodes=3, controllers=1),
    pytest.mark.feature("KIP-631"),
    pytest.mark.severity("critical"),
    pytest.mark.kip(631, 595, 858),
]
OTHER_CLUSTER = "MkU3OEVBNTcwNTJENDM2Qg"
NEW_BROKER = 77
METADATA_ID = Uuid(bytes(15) + b"\1")
WATCHED_S = 10.0
"""Several times the time that a node of these clusters needs to join (3 s)."""
ASSIGNED_WITHIN_S = 30.0


@contextmanager
def unmoved(cluster: Cluster, admin: RawAdmin, names: Names) -> Iterator[None]:
    """Raises BrokenPromise if the cluster has changed afterwards, or does not acknowledge a write with acks=all."""
    topic = names.topic("orders")
    admin.create_topic(topic, 1, 3, {"min.insync.replicas": "3"})
    view = cluster.view(topics=[topic])
    yield
    after = cluster.view(topics=[topic])
    for name in ("brokers", "controllers", "active_controller", "leaders", "leader_epochs", "isr"):
        require(getattr(after, name), getattr(view, name), f"what the cluster tells of its {name.replace('_', ' ')}")
    node = next(one for one in cluster.nodes if one.id == after.leaders[topic, 0])
    with NodeClient(node.address) as client:
        require(client.produce(topic, "goes on").error, ErrorCode.NONE, "the answer to a write for all replicas")


def cluster_id_of(cluster: Cluster) -> str:
    with NodeClient(cluster.nodes[0].address) as client:
        return str(client.ask(ApiKey.DESCRIBE_CLUSTER, 1, DescribeClusterRequest()).cluster_id)


def register(cluster: Cluster, broker: int, cluster_id: str, folder: bytes | None = None) -> ErrorCode:
    """The controller's answer to the registration of a broker that supports the same features as the others."""
    controller = active_controller(cluster)
    (log,) = metadata_logs_of(cluster, [controller])
    registered = [one.message for one in log.records if isinstance(one.message, RegisterBrokerRecord)]
    features = tuple(
        Feature(
            name=one.name,
            min_supported_version=one.min_supported_version,
            max_supported_version=one.max_supported_version,
        )
        for one in registered[-1].features
    )
    listeners = tuple(Listener(name=one.name, host="192.0.2.1", port=9092) for one in registered[-1].end_points)
    request = BrokerRegistrationRequest(
        broker_id=BrokerId(broker),
        cluster_id=cluster_id,
        incarnation_id=Uuid(uuid.uuid4().bytes),
        listeners=listeners,
        features=features,
        rack=None,
        log_dirs=(Uuid(folder or uuid.uuid4().bytes),),
    )
    with NodeClient(controllers_of(cluster)[controller]) as client:
        return ErrorCode(client.ask(ApiKey.BROKER_REGISTRATION, 4, request).error_code)


@pytest.mark.claim("M13")
def test_a_second_broker_of_an_id_is_refused(cluster: Cluster, admin: RawAdmin, names: Names) -> None:
    with unmoved(cluster, admin, names):
        error = register(cluster, cluster.nodes[1].id, cluster_id_of(cluster))
    require(error, ErrorCode.DUPLICATE_BROKER_REGISTRATION, "the answer to a second broker with an id")


@pytest.mark.claim("M13")
def test_a_broker_of_another_cluster_is_refused(cluster: Cluster, admin: RawAdmin, names: Names) -> None:
    with unmoved(cluster, admin, names):
        error = register(cluster, NEW_BROKER, OTHER_CLUSTER)
    require(error, ErrorCode.INCONSISTENT_CLUSTER_ID, "the answer to a broker of another cluster")


@pytest.mark.claim("M13")
def test_a_broker_with_a_folder_of_another_is_refused(cluster: Cluster, admin: RawAdmin, names: Names) -> None:
    (log,) = metadata_logs_of(cluster, [active_controller(cluster)])
    (taken, *_) = replayed(log.records).brokers[cluster.nodes[0].id].log_dirs
    with unmoved(cluster, admin, names):
        error = register(cluster, NEW_BROKER, cluster_id_of(cluster), taken)
    require(error, ErrorCode.INVALID_REGISTRATION, "the answer to a broker with the folder of another")


@pytest.mark.claim("M13", "M1")
def test_a_voter_of_another_cluster_is_refused(cluster: Cluster, admin: RawAdmin, names: Names) -> None:
    controller = active_controller(cluster)
    with unmoved(cluster, admin, names), NodeClient(controllers_of(cluster)[controller]) as client:
        epoch, leader = client.quorum()
        asked = PartitionData(
            partition_index=0,
            replica_epoch=epoch + 1,
            replica_id=BrokerId(controller),
            last_offset_epoch=epoch,
            last_offset=1 << 40,
        )
        topic = TopicData(topic_name=TopicName("__cluster_metadata"), partitions=(asked,))
        vote = VoteRequest(cluster_id=OTHER_CLUSTER, voter_id=BrokerId(controller), topics=(topic,))
        error = ErrorCode(client.ask(ApiKey.VOTE, 2, vote).error_code)
        require(error, ErrorCode.INCONSISTENT_CLUSTER_ID, "the answer to a candidate of another cluster")
        require(client.quorum(), (epoch, leader), "the epoch and leader of the quorum after a vote of another cluster")


@pytest.mark.claim("M13")
def test_a_fetcher_of_another_cluster_is_refused(cluster: Cluster, admin: RawAdmin, names: Names) -> None:
    controller = active_controller(cluster)
    with unmoved(cluster, admin, names), NodeClient(controllers_of(cluster)[controller]) as client:
        epoch, _ = client.quorum()
        asked = FetchPartition(
            partition=0, current_leader_epoch=epoch, last_fetched_epoch=0, partition_max_bytes=1 << 20
        )
        topic = FetchTopic(topic_id=METADATA_ID, partitions=(asked,))
        answer = client.ask(ApiKey.FETCH, 17, FetchRequest(cluster_id=OTHER_CLUSTER, topics=(topic,)))
    error = ErrorCode(answer.error_code)
    require(error, ErrorCode.INCONSISTENT_CLUSTER_ID, "the answer to a fetcher of another cluster")
    require(answer.responses, (), "what a fetcher of another cluster is given")


@pytest.mark.long
@pytest.mark.claim("M13")
def test_a_node_on_the_folder_of_another_cluster_does_not_join(
    cluster: Cluster, admin: RawAdmin, names: Names, record: CheckRecord
) -> None:
    topic = names.topic("orders")
    admin.create_topic(topic, 1, 3, {"min.insync.replicas": "2"})
    node = cluster.nodes[2]
    if node.data_dir is None:
        pytest.skip(f"the folder of node {node.id} cannot be changed from here")
    properties = node.data_dir / "meta.properties"
    own = properties.read_text(encoding="utf-8")
    others = [one.id for one in cluster.nodes if Role.BROKER in one.roles and one.id != node.id]
    try:
        with record.step(f"node {node.id} on the folder of another cluster"):
            record.faults += 1
            node.stop()
            properties.write_text(own.replace(cluster_id_of(cluster), OTHER_CLUSTER), encoding="utf-8")
            said = len(node.log_text())
            node.start()
            require_away(cluster, node, topic)
        if OTHER_CLUSTER not in node.log_text()[said:] and node.is_alive():
            raise Unproven(f"node {node.id} was started on the folder of another cluster, and its log tells nothing")
        leader = next(one for one in cluster.nodes if one.id == cluster.view(topics=[topic]).leaders[topic, 0])
        with NodeClient(leader.address) as client:
            require(client.produce(topic, "two of three").error, ErrorCode.NONE, "the answer to a write meanwhile")
        require(sorted(cluster.view(topics=()).brokers), others, "the brokers that are registered and not fenced")
    finally:
        node.kill()
        properties.write_text(own, encoding="utf-8")
        restore(cluster)
    cluster.wait_healthy()


def require_away(cluster: Cluster, node: Node, topic: str) -> None:
    """Watches a node for WATCHED_S; raises BrokenPromise if it is unfenced or joins the ISR."""
    deadline = time.monotonic() + WATCHED_S
    while time.monotonic() < deadline:
        view = cluster.view(topics=[topic])
        if node.id in view.brokers or node.id in view.isr[topic, 0]:
            raise BrokenPromise(f"Node {node.id} has joined with the folder of another cluster.", claim="M13")
        time.sleep(0.2)


@pytest.mark.long
@pytest.mark.claim("M13", "M5")
@pytest.mark.cluster(nodes=3, small_disk_mb=64)
def test_replicas_are_in_the_folders_that_the_metadata_names(
    cluster: Cluster, admin: RawAdmin, names: Names, record: CheckRecord
) -> None:
    topic = names.topic("orders")
    admin.create_topic(topic, 6, 3)
    until(lambda: misplaced(cluster, topic) == [], ASSIGNED_WITHIN_S, "every replica is where the metadata says")
    used = {place for one in state_of(cluster).partitions.values() for place in one.directories}
    if len(used) <= len(cluster.nodes):
        raise Unproven(f"the replicas of {len(cluster.nodes)} nodes with two folders each use {len(used)} folders")
    node = cluster.nodes[0]
    try:
        with record.step(f"kill node {node.id}"):
            record.faults += 1
            node.kill()
    finally:
        restore(cluster)
    cluster.wait_healthy()
    require(misplaced(cluster, topic), [], "the replicas that are not where the metadata says, after a kill")


def state_of(cluster: Cluster) -> MetadataState:
    """The state of the metadata on the active controller."""
    (log,) = metadata_logs_of(cluster, [active_controller(cluster)])
    return replayed(log.records)


def misplaced(cluster: Cluster, topic: str) -> list[str]:
    """Descriptions of a topic's replicas that are not in the folder that the metadata names."""
    state = state_of(cluster)
    wrong = []
    with leftovers.temporary_folder() as copies:
        for node in cluster.nodes:
            places = {directory_id(folder): folder for folder in node.fetch_log_dirs(copies)}
            for (topic_id, index), one in sorted(state.partitions.items()):
                if state.topics[topic_id] == topic and node.id in one.replicas:
                    named = dict(zip(one.replicas, one.directories, strict=False)).get(node.id, b"")
                    if named not in places or not (places[named] / f"{topic}-{index}").is_dir():
                        wrong.append(f"{topic}-{index} on node {node.id}: folder {named.hex() or 'none'} is named")
    return wrong


def directory_id(log_dir: Path) -> bytes:
    """The id in a log folder's meta.properties."""
    try:
        lines = (log_dir / "meta.properties").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as missing:
        raise Unproven(f"{missing.filename} is not there, which names the folder") from missing
    text = dict(line.split("=", 1) for line in lines if "=" in line)["directory.id"].replace("\\", "")
    return base64.urlsafe_b64decode(text + "==")
