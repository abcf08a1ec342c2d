"""A broker that sends no heartbeats is fenced, and a broker that stops cleanly hands over its leaderships first.

**Claim** A broker that is paused for longer than broker.session.timeout.ms is fenced within a time limit: Metadata no
longer lists it, and it leads no partition of a topic that it led. After it is resumed it is unfenced, and in sync
again. A broker that is stopped cleanly hands over its leaderships before it exits: afterwards Metadata names other
leaders.

**Why it matters** If a broker is not fenced, its partitions have no working leader. If a clean stop does not hand over
leaderships, every upgrade is an outage.

**Kafka says** KIP-631 (heartbeats and fencing); broker configuration broker.session.timeout.ms,
controlled.shutdown.enable.

**Cannot see** brokers fenced by a controller that is cut off.

**Rejects** tests/plants/clusters/test_cluster_checks.py::test_a_check_rejects_the_bug
"""

from __future__ import annotations

import pytest

from harness.clients.leader_connections import RawAdmin
from harness.clients.node_client import until
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.record import CheckRecord
from harness.targets.target import Cluster
from nemesis.restore import restore

pytestmark = [
    pytest.mark.cluster(nodes=3, controllers=1),
    pytest.mark.feature("KIP-631"),
    pytest.mark.severity("critical"),
    pytest.mark.kip(631),
    pytest.mark.document(
        "broker configuration broker.session.timeout.ms",
        "https://kafka.apache.org/documentation/#brokerconfigs_broker.session.timeout.ms",
    ),
    pytest.mark.document(
        "broker configuration controlled.shutdown.enable",
        "https://kafka.apache.org/documentation/#brokerconfigs_controlled.shutdown.enable",
    ),
]
FENCED_WITHIN_S = 3.0 + 7.0
"""broker.session.timeout.ms of clusters that the harness starts, and time for brokers to learn of it."""
BACK_WITHIN_S = 60.0
LOOKS = 10


@pytest.mark.claim("M5", "L3")
def test_a_broker_that_is_paused_is_fenced_and_comes_back(
    cluster: Cluster, admin: RawAdmin, names: Names, record: CheckRecord
) -> None:
    topic = names.topic("orders")
    admin.create_topic(topic, 3, 3)
    leader = cluster.view(topics=[topic]).leaders[topic, 0]
    node = next(one for one in cluster.nodes if one.id == leader)
    try:
        with record.step(f"pause node {leader}"):
            record.faults += 1
            node.pause()
        until(
            lambda: leader not in [*(view := cluster.view(topics=[topic])).brokers, *view.leaders.values()],
            FENCED_WITHIN_S,
            f"node {leader}, which is paused, is fenced and leads nothing",
        )
        with record.step(f"resume node {leader}"):
            node.resume()
        until(
            lambda: (
                leader in (view := cluster.view(topics=[topic])).brokers
                and all(leader in isr for isr in view.isr.values())
            ),
            BACK_WITHIN_S,
            f"node {leader} is unfenced and in sync again",
        )
    finally:
        restore(cluster)
    cluster.wait_healthy()


@pytest.mark.claim("M5")
def test_a_broker_that_is_stopped_has_handed_over_before_it_ends(
    cluster: Cluster, admin: RawAdmin, names: Names, record: CheckRecord
) -> None:
    topic = names.topic("orders")
    admin.create_topic(topic, 6, 3)
    node = cluster.nodes[0]
    led = [where for where, leader in cluster.view(topics=[topic]).leaders.items() if leader == node.id]
    require(bool(led), True, f"that node {node.id} leads some of 6 partitions")
    try:
        with record.step(f"stop node {node.id}"):
            record.faults += 1
            node.stop()
        for _ in range(LOOKS):
            view = cluster.view(topics=[topic])
            still = [f"{name}-{number}" for (name, number), leader in view.leaders.items() if leader == node.id]
            require(still, [], f"the partitions that node {node.id} leads after its clean stop")
            require(sorted(where[1] for where in view.leaders), list(range(6)), "the partitions that have a leader")
    finally:
        restore(cluster)
    cluster.wait_healthy()
