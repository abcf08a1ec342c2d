"""Nothing is acknowledged by too few replicas.

**Claim** With acks=all, a partition that has fewer in-sync replicas than min.insync.replicas refuses records with
NOT_ENOUGH_REPLICAS, and the refused record is not in the log. With acks=1 it still accepts records. When the replicas
are back it accepts records with acks=all again, and all in-sync replicas hold the same records.

**Why it matters** min.insync.replicas is the number of copies that an application asks for; a record that is
acknowledged with fewer may be lost with a single disk.

**Kafka says** topic configuration min.insync.replicas, producer configuration acks; KIP-966 for the high watermark.

**Cannot see** replicas that acknowledge records before they are flushed, and lose them in a power failure.

**Rejects** tests/plants/clusters/test_cluster_checks.py::test_a_check_rejects_the_bug,
tests/plants/brokers/ignores_min_insync_replicas.py
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
    pytest.mark.cluster(nodes=3, controllers=1),
    pytest.mark.feature("Produce"),
    pytest.mark.severity("blocker"),
    pytest.mark.kip(966),
    pytest.mark.setting("min.insync.replicas"),
    pytest.mark.document("producer configuration acks", "https://kafka.apache.org/documentation/#producerconfigs_acks"),
    pytest.mark.document(
        "topic configuration min.insync.replicas",
        "https://kafka.apache.org/documentation/#topicconfigs_min.insync.replicas",
    ),
]
SHRINKS_WITHIN_S = 15.0
"""A broker that stops cleanly leaves the ISR at once; the leader learns of it from the controller."""
RETURNS_WITHIN_S = 60.0


@pytest.mark.claim("D3", "M11", "D6")
def test_nothing_is_acknowledged_by_too_few_replicas(
    cluster: Cluster, admin: RawAdmin, names: Names, record: CheckRecord
) -> None:
    topic = names.topic("orders")
    admin.create_topic(topic, 1, 3, {"min.insync.replicas": "2"})
    leader = cluster.view(topics=[topic]).leaders[topic, 0]
    node = next(one for one in cluster.nodes if one.id == leader)
    followers = [one for one in cluster.nodes if one.id in (1, 2, 3) and one.id != leader]
    try:
        with NodeClient(node.address) as client:
            require(client.produce(topic, "by three").error, ErrorCode.NONE, "the answer while three are in sync")
            with record.step("stop followers"):
                for follower in followers:
                    record.faults += 1
                    follower.stop()
            until(
                lambda: cluster.view(topics=[topic]).isr[topic, 0] == (leader,),
                SHRINKS_WITHIN_S,
                f"the ISR of {topic}-0 is its leader alone when both followers have stopped",
            )
            refused = client.produce(topic, "by one")
            require(refused.error, ErrorCode.NOT_ENOUGH_REPLICAS, "the answer to acks=all with one replica in sync")
            require(client.produce(topic, "acks one", acks=1).error, ErrorCode.NONE, "the answer to acks=1")
            with record.step("start followers"):
                for follower in followers:
                    follower.start()
            until(
                lambda: len(cluster.view(topics=[topic]).isr.get((topic, 0), ())) == 3,
                RETURNS_WITHIN_S,
                f"all three replicas of {topic}-0 are in sync again after the followers have started",
            )
            require(client.produce(topic, "by three again").error, ErrorCode.NONE, "the answer when all are back")
            found = [value for _, value in client.fetch(topic, 0).values]
            require(found, ["by three", "acks one", "by three again"], "what the partition holds")
        require_equal_replicas(cluster, topic, 1)
    finally:
        restore(cluster)
