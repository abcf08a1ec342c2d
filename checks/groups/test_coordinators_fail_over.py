"""Another coordinator takes over when one dies.

**Claim** When the broker that coordinates a group dies, another one coordinates it. A member continues in its
generation: until the new coordinator is ready it hears only errors that ask it to try again or to look for the
coordinator. Every committed offset that was acknowledged is there, and committed offsets never go back, also when the
old broker returns. Groups of client libraries continue.

**Why it matters** If a commit is lost with its coordinator, a group processes records again; if members hear the wrong
error, they give up their partitions, or stop.

**Kafka says** Protocol guide, FindCoordinator and "Group Membership Protocol"; broker configurations
offsets.topic.replication.factor and offsets.commit.timeout.ms; KIP-848, "Group Coordinator".

**Cannot see** coordinators of transactions and share groups; the loss of several replicas at once.

**Rejects** tests/unit/harness/judging/test_failover.py::test_a_failover_is_rejected,
tests/plants/brokers/forgets_members_on_failover.py, tests/plants/brokers/serves_before_it_has_loaded.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from harness.clients.group_client import GroupClient
from harness.clients.leader_connections import RawAdmin
from harness.clients.node_client import until
from harness.hosts import cluster_time as time
from harness.judging.activity import Needs
from harness.judging.failover import offsets_gone_back, refused_wrongly
from harness.judging.guarantees import ClientSettings
from harness.judging.outcome import require
from harness.pytest_plugin.drive import Drive
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.record import CheckRecord
from harness.targets.target import Cluster
from harness.workloads.queue import Queue
from nemesis import coordinator, kill
from nemesis.restore import restore
from reference_broker.wire.errors import ErrorCode

pytestmark = [
    pytest.mark.cluster(nodes=3),
    pytest.mark.feature("FindCoordinator"),
    pytest.mark.severity("critical"),
    pytest.mark.kip(848),
    pytest.mark.document(
        "broker configuration offsets.topic.replication.factor",
        "https://kafka.apache.org/documentation/#brokerconfigs_offsets.topic.replication.factor",
    ),
    pytest.mark.document(
        "Protocol guide, FindCoordinator", "https://kafka.apache.org/protocol.html#The_Messages_FindCoordinator"
    ),
]
SERVES_WITHIN_S = 90.0
"""The session of 3 s of the dead broker, elections, the load, and time for a busy machine."""
COMMITS = 20
PARTITIONS, TIMES = 50, 100
"""About 5,000 records more for the new coordinator to load."""


@pytest.fixture
def member(cluster: Cluster, admin: RawAdmin, names: Names) -> Iterator[GroupClient]:
    """The only member of a group that has committed many offsets."""
    topic, group = names.topic("orders"), names.group("workers")
    admin.create_topic(topic, PARTITIONS, 3)
    client = GroupClient(lambda: [(node.id, node.address) for node in cluster.nodes], group, topic)
    try:
        until(lambda: client.find() and client.join(), SERVES_WITHIN_S, f"the group {group} has a member")
        client.fill(PARTITIONS, TIMES)
        yield client
    finally:
        client.close()
        restore(cluster)


def go_on(client: GroupClient, first_offset: int) -> Callable[[], bool]:
    """What a member does again and again: whether it has committed something more."""
    following = iter(range(first_offset, 1_000_000))

    def step() -> bool:
        time.sleep(0.05)
        if client.coordinator is None and not client.find():
            return False
        for ask in (client.heartbeat, client.fetch, lambda: client.commit(next(following))):
            error = ask()
            require(refused_wrongly(client.steps[-1:]), [], "the answers that make a member give up")
            if error is not ErrorCode.NONE:
                return False
        return True

    return step


@pytest.mark.claim("G3", "L1")
def test_a_member_goes_on_when_its_coordinator_dies(cluster: Cluster, member: GroupClient, record: CheckRecord) -> None:
    step, first = go_on(member, 0), member.coordinator
    for _ in range(COMMITS):
        until(step, SERVES_WITHIN_S, "a commit is acknowledged before the fault")
    killed = next(node for node in cluster.nodes if node.id == first)
    with record.step(f"kill node {killed.id}"):
        record.faults += 1
        killed.kill()
    for _ in range(COMMITS):
        until(step, SERVES_WITHIN_S, f"a commit is acknowledged although node {killed.id} is dead")
    require(member.coordinator != first, True, "whether another node coordinates the group", claim="L1")
    with record.step(f"start node {killed.id}"):
        killed.start()
    cluster.wait_healthy()
    member.coordinator = None
    for _ in range(COMMITS):
        until(step, SERVES_WITHIN_S, f"a commit is acknowledged when node {killed.id} is back")

    require(offsets_gone_back(member.steps), [], "the committed offsets that cannot be")


@pytest.mark.long
@pytest.mark.claim("G1", "G2", "G3", "L2")
@pytest.mark.parametrize("client", ["confluent", "kafka_python", "aiokafka", "raw"], indirect=True)
def test_a_group_goes_on_when_its_coordinator_dies(cluster: Cluster, drive: Drive, names: Names) -> None:
    settings = ClientSettings(acks="all", consumers="subscribe", commit="sync")
    queue = Queue(topic=names.topic("orders"), partitions=4, client=settings, needs=Needs())

    drive(queue, kill(coordinator), replicas=3, config={"min.insync.replicas": "2"}, duration_s=30.0, hold_s=12.0)

    cluster.wait_healthy()
