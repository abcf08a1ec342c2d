"""A follower serves what the leader has committed, and nothing else.

**Claim** The leader redirects a consumer to the follower in the consumer's rack. The follower serves a prefix of the
leader's log: the same records at the same offsets, never above the leader's high watermark, never fewer than before,
and in the end all of them.

**Why it matters** Reading from a replica in the same rack saves money; it must not return records that may still be
lost.

**Kafka says** KIP-392 (fetch from the closest replica).

**Cannot see** a follower that lags for a long time: client libraries then return to the leader.

**Rejects** tests/plants/clusters/test_cluster_checks.py::test_a_check_rejects_the_bug
"""

from __future__ import annotations

import pytest

from harness.clients.leader_connections import RawAdmin
from harness.clients.node_client import NodeClient, until
from harness.judging.outcome import Unproven, require
from harness.pytest_plugin.names import Names
from harness.targets.target import Cluster
from reference_broker.wire.errors import ErrorCode

SELECTOR = "org.apache.kafka.common.replica.RackAwareReplicaSelector"
pytestmark = [
    pytest.mark.cluster(nodes=3, racks=("a", "b", "c"), config={"replica.selector.class": SELECTOR}),
    pytest.mark.feature("KIP-392"),
    pytest.mark.severity("critical"),
    pytest.mark.kip(392),
]
BATCHES = 40
FOLLOWED_WITHIN_S = 20.0


@pytest.mark.claim("O12", "O1", "D8")
def test_a_follower_serves_a_prefix_of_the_leaders_log(cluster: Cluster, admin: RawAdmin, names: Names) -> None:
    topic = names.topic("orders")
    admin.create_topic(topic, 1, 3)
    view = cluster.view(topics=[topic])
    leader = next(node for node in cluster.nodes if node.id == view.leaders[topic, 0])
    follower = next(node for node in cluster.nodes if node.id != leader.id)
    looks = 0
    with NodeClient(leader.address) as of_leader, NodeClient(follower.address) as of_follower:
        require(of_leader.produce(topic, "first").error, ErrorCode.NONE, "the answer of the leader")
        until(
            lambda: of_leader.fetch(topic, 1, rack=follower.rack or "", wait_ms=100).preferred_replica == follower.id,
            FOLLOWED_WITHIN_S,
            f"the leader sends a reader of rack {follower.rack} to node {follower.id}",
        )
        served = of_follower.fetch(topic, 0, rack=follower.rack or "")
        for number in range(BATCHES):
            answer = of_leader.produce(topic, f"value {number}", acks=1)
            require(answer.error, ErrorCode.NONE, "the answer of the leader")
            before, served = served, of_follower.fetch(topic, 0, rack=follower.rack or "")
            require(served.error, ErrorCode.NONE, "the answer of the follower")
            known = of_leader.fetch(topic, 0)
            require(
                served.values, known.values[: len(served.values)], "what the follower serves, a prefix of the leader's"
            )
            require(
                served.high_watermark <= known.high_watermark, True, "that the follower's high watermark is not ahead"
            )
            require(served.values[: len(before.values)], before.values, "what the follower served before, served again")
            looks += bool(served.values)
        if looks < BATCHES // 4:
            raise Unproven(f"the follower served records in {looks} of {BATCHES} looks; {BATCHES // 4} are needed")
        until(
            lambda: len(of_follower.fetch(topic, 0, rack=follower.rack or "").values) == BATCHES + 1,
            FOLLOWED_WITHIN_S,
            f"node {follower.id} serves all {BATCHES + 1} records in the end",
        )
