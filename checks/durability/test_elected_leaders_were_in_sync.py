"""Only a replica that was in sync becomes leader, unless the topic allows otherwise.

**Claim** With unclean.leader.election.enable=false, when the last in-sync replica of a partition is dead, a replica
that had left the ISR does not become leader: the partition has no leader until the in-sync replica is back, and then
holds every acknowledged record. With unclean.leader.election.enable=true the other replica becomes leader, the records
that it lacked are lost, and the former leader follows it: afterwards both replicas hold the same records.

**Why it matters** The setting decides between waiting for a broker and losing acknowledged records. The owner of the
topic must be able to make this choice.

**Kafka says** topic configuration unclean.leader.election.enable; KIP-966 (eligible leader replicas); KIP-101.

**Cannot see** a leader that lost its disk: it is still in the ISR, but no longer has the records.

**Rejects** tests/plants/clusters/test_cluster_checks.py::test_a_check_rejects_the_bug
"""

from __future__ import annotations

import pytest

from harness.clients.leader_connections import RawAdmin
from harness.clients.node_client import NodeClient, until
from harness.hosts import cluster_time as time
from harness.judging.outcome import BrokenPromise, Unproven, require
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.record import CheckRecord
from harness.replicas.collecting import require_equal_replicas
from harness.targets.target import Cluster, Node
from nemesis.restore import restore
from reference_broker.wire.errors import ErrorCode

pytestmark = [
    pytest.mark.cluster(nodes=3, controllers=1),
    pytest.mark.feature("Leader election"),
    pytest.mark.severity("blocker"),
    pytest.mark.kip(966, 101),
    pytest.mark.setting("unclean.leader.election.enable"),
    pytest.mark.document(
        "topic configuration unclean.leader.election.enable",
        "https://kafka.apache.org/documentation/#topicconfigs_unclean.leader.election.enable",
    ),
]
SHRINKS_WITHIN_S = 20.0
"""Time for the controller to fence a killed broker (broker.session.timeout.ms), and for the leader to learn of it."""
ELECTED_WITHIN_S = 30.0
WATCHED_S = 6.0
"""Twice the session timeout of these clusters: long enough for a forbidden election to happen."""


def two_replicas(cluster: Cluster, topic: str) -> tuple[Node, Node]:
    """Returns (leader, follower) of partition 0."""
    view = cluster.view(topics=[topic])
    nodes = {node.id: node for node in cluster.nodes}
    (follower,) = view.followers_of(topic)
    return nodes[view.leaders[topic, 0]], nodes[follower]


def outrun(cluster: Cluster, topic: str, leader: Node, follower: Node, record: CheckRecord) -> None:
    """Kills the follower, writes a record that only the leader has, kills the leader, and starts the follower."""
    with NodeClient(leader.address) as client:
        require(client.produce(topic, "both have it").error, ErrorCode.NONE, "the answer while both are in sync")
        with record.step(f"kill follower {follower.id}"):
            record.faults += 1
            follower.kill()
        until(
            lambda: cluster.view(topics=[topic]).isr[topic, 0] == (leader.id,),
            SHRINKS_WITHIN_S,
            f"the ISR of {topic}-0 is its leader alone when the follower is dead",
        )
        require(client.produce(topic, "leader alone").error, ErrorCode.NONE, "the answer of a leader that is alone")
    with record.step(f"kill leader {leader.id}, start node {follower.id}"):
        record.faults += 1
        leader.kill()
        follower.start()
        follower.wait_ready()


@pytest.mark.claim("D5", "D1", "D6")
def test_a_replica_that_was_not_in_sync_does_not_lead(
    cluster: Cluster, admin: RawAdmin, names: Names, record: CheckRecord
) -> None:
    topic = names.topic("orders")
    admin.create_topic(topic, 1, 2, {"min.insync.replicas": "1", "unclean.leader.election.enable": "false"})
    leader, follower = two_replicas(cluster, topic)
    try:
        outrun(cluster, topic, leader, follower, record)
        until(
            lambda: cluster.view(topics=[topic]).leader_of(topic) in (None, follower.id),
            SHRINKS_WITHIN_S,
            f"the dead node {leader.id} leads {topic}-0 no more",
        )
        deadline = time.monotonic() + WATCHED_S
        while time.monotonic() < deadline:
            view = cluster.view(topics=[topic])
            leads = view.leader_of(topic)
            if leads is not None:
                raise BrokenPromise(
                    f"Node {leads} leads {topic}-0; it was not in sync when the leader {leader.id} died, or is dead.",
                    claim="D5",
                    anomaly="unclean leader",
                )
            time.sleep(0.2)
        if follower.id not in view.brokers:
            raise Unproven(f"node {follower.id} was not unfenced within {WATCHED_S:g} s: it could not have led")
        leader.start()
        until(
            lambda: cluster.view(topics=[topic]).leader_of(topic) == leader.id,
            ELECTED_WITHIN_S,
            f"node {leader.id}, which was in sync, leads {topic}-0 again when it is back",
        )
        with NodeClient(leader.address) as client:
            found = [value for _, value in client.fetch(topic, 0).values]
        require(found, ["both have it", "leader alone"], "what the partition holds")
    finally:
        restore(cluster)
    cluster.wait_healthy()
    require_equal_replicas(cluster, topic, 1)


@pytest.mark.claim("D5", "D6")
def test_an_unclean_leader_leads_where_that_is_allowed_and_the_old_one_follows_it(
    cluster: Cluster, admin: RawAdmin, names: Names, record: CheckRecord
) -> None:
    topic = names.topic("orders")
    admin.create_topic(topic, 1, 2, {"min.insync.replicas": "1", "unclean.leader.election.enable": "true"})
    leader, follower = two_replicas(cluster, topic)
    try:
        outrun(cluster, topic, leader, follower, record)
        until(
            lambda: cluster.view(topics=[topic]).leader_of(topic) == follower.id,
            ELECTED_WITHIN_S,
            f"node {follower.id} leads {topic}-0, where unclean elections are allowed",
        )
        with NodeClient(follower.address) as client:
            require(client.produce(topic, "new leader").error, ErrorCode.NONE, "the answer of the new leader")
            leader.start()
            until(
                lambda: len(cluster.view(topics=[topic]).isr.get((topic, 0), ())) == 2,
                ELECTED_WITHIN_S,
                f"node {leader.id} follows and is in sync again",
            )
            leads = cluster.view(topics=[topic]).leader_of(topic)
            require(leads, follower.id, f"the leader of {topic}-0 when both are in sync again")
            found = [value for _, value in client.fetch(topic, 0).values]
        require(found, ["both have it", "new leader"], "what the partition holds")
        require_equal_replicas(cluster, topic, 1)
    finally:
        restore(cluster)
