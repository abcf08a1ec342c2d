"""A broker dies, and the others take over.

**Claim** When the broker that leads a partition dies, another in-sync replica leads it within broker.session.timeout.ms
and the time of an election. Producers with acks=all can continue, and no acknowledged record is missing. When the
broker is back it catches up, until its replica equals the others.

**Why it matters** It is why a topic has replicas, and answers a beginner's question: what happens when a broker dies?

**Kafka says** Kafka documentation, "Replication"; broker configuration broker.session.timeout.ms; KIP-631.

**Cannot see** how long clients take to notice: durability/replicated_records_survive uses client libraries.

**Rejects** tests/plants/clusters/test_cluster_checks.py::test_a_check_rejects_the_bug
"""

from __future__ import annotations

import pytest

from harness.clients.leader_connections import RawAdmin
from harness.clients.node_client import NodeClient, until
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.record import CheckRecord
from harness.replicas.collecting import require_equal_replicas
from harness.targets.target import Cluster
from nemesis.restore import restore
from reference_broker.wire.errors import ErrorCode

pytestmark = [
    pytest.mark.cluster(nodes=3),
    pytest.mark.feature("Replication"),
    pytest.mark.severity("blocker"),
    pytest.mark.kip(631),
    pytest.mark.document(
        "broker configuration broker.session.timeout.ms",
        "https://kafka.apache.org/documentation/#brokerconfigs_broker.session.timeout.ms",
    ),
    pytest.mark.document("Kafka documentation, Replication", "https://kafka.apache.org/documentation/"),
]
SESSION_S = 3.0
"""broker.session.timeout.ms of clusters that the harness starts."""
LED_WITHIN_S = SESSION_S + 7.0
"""The session timeout, and time for elections: if the dead node was the active controller, another one is elected
first."""
COPIED_WITHIN_S = 60.0


@pytest.mark.claim("D1", "D5", "D6", "M5", "L1", "L3")
def test_a_broker_dies_and_nobody_waits_for_it(
    cluster: Cluster, admin: RawAdmin, names: Names, record: CheckRecord
) -> None:
    topic = names.topic("orders")
    admin.create_topic(topic, 1, 3, {"min.insync.replicas": "2"})
    view = cluster.view(topics=[topic])
    first = view.leaders[topic, 0]
    require(len(view.isr[topic, 0]), 3, "the number of replicas in sync before")
    nodes = {node.id: node for node in cluster.nodes}
    try:
        with NodeClient(nodes[first].address) as client:
            require(client.produce(topic, "before").error, ErrorCode.NONE, "the answer of the first leader")
        with record.step(f"kill node {first}"):
            record.faults += 1
            nodes[first].kill()
        others = [node for node in cluster.nodes if node.id != first]
        until(
            lambda: cluster.view(topics=[topic]).leader_of(topic) in [node.id for node in others],
            LED_WITHIN_S,
            f"another replica leads {topic}-0 when its leader, node {first}, has died",
        )
        second = cluster.view(topics=[topic]).leaders[topic, 0]
        with NodeClient(nodes[second].address) as client:
            require(client.produce(topic, "without it").error, ErrorCode.NONE, "the answer of the new leader")
            with record.step(f"start node {first}"):
                nodes[first].start()
            until(
                lambda: first in cluster.view(topics=[topic]).isr.get((topic, 0), ()),
                COPIED_WITHIN_S,
                f"node {first} has caught up and is in sync",
            )
            require(client.produce(topic, "with it").error, ErrorCode.NONE, "the answer when all are back")
            found = [value for _, value in client.fetch(topic, 0).values]
        require(found, ["before", "without it", "with it"], "what the partition holds")
        require_equal_replicas(cluster, topic, 1)
    finally:
        restore(cluster)
