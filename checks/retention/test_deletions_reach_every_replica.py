"""What DeleteRecords has acknowledged is deleted on every replica, and stays deleted whoever leads.

**Claim** When DeleteRecords is answered, every replica of the partition starts at the low watermark of the answer, or
beyond it. It stays so when another replica leads, when the leader is killed, and when all nodes are restarted in turn;
at each moment offsets below it are refused, and those from it on are not.

**Why it matters** Records are deleted because the law, or a customer, asked for it; a copy that remembers them may lead
tomorrow.

**Kafka says** KIP-107: the low watermark is the smallest log start offset of all live replicas.

**Cannot see** whether the bytes are overwritten. A kill of all replicas: log start offsets are checkpointed once a
minute (log.flush.start.offset.checkpoint.interval.ms), and Kafka promises no more than that.

**Rejects** tests/plants/brokers/keeps_its_own_log_start.py, tests/plants/brokers/deletes_records_alone.py
"""

from __future__ import annotations

import pytest

from harness.clients.leader_connections import RawAdmin
from harness.clients.node_client import NodeClient
from harness.comparing.request_forms import list_offsets
from harness.hosts import cluster_time as time
from harness.judging.outcome import require
from harness.judging.retention.log_history import Limits, LogHistory
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.strike import Strike
from harness.runs.log_watch import DEBUGGER, LogWatch, rules
from harness.targets.target import Cluster, Node
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode

pytestmark = [
    pytest.mark.cluster(nodes=3),
    pytest.mark.feature("DeleteRecords"),
    pytest.mark.severity("critical"),
    pytest.mark.claim("R4"),
    pytest.mark.kip(107),
]
EARLIEST = -2
SERVED_WITHIN_S = 10.0


def start_on(node: Node, topic: str) -> int:
    """Where the log of a node's replica starts, as the node tells it, whether it leads or not. After a start it may
    take a moment until the node has its replicas."""
    deadline = time.monotonic() + SERVED_WITHIN_S
    while True:
        with NodeClient(node.address) as client:
            request = list_offsets(topic, EARLIEST, replica=DEBUGGER)
            found = client.ask(ApiKey.LIST_OFFSETS, 6, request).topics[0].partitions[0]
        if not found.error_code:
            return int(found.offset)
        require(
            time.monotonic() < deadline,
            True,
            f"that node {node.id} has its replica: {ErrorCode(found.error_code).name}",
        )
        time.sleep(0.1)


def starts(cluster: Cluster, topic: str) -> dict[int, int]:
    """Node → where its log of the topic starts."""
    return {node.id: start_on(node, topic) for node in cluster.nodes}


def settled(cluster: Cluster, topic: str, wanted: int) -> dict[int, int]:
    """The same, when all start at an offset, or some seconds later: one that was killed may have forgotten its start,
    and is told it with its first fetch."""
    deadline = time.monotonic() + SERVED_WITHIN_S
    while set((found := starts(cluster, topic)).values()) != {wanted} and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


@pytest.mark.parametrize("fault", ["leadership:move", "kill leader", "roll"])
def test_a_deletion_is_on_every_replica_and_stays(
    cluster: Cluster, admin: RawAdmin, names: Names, strike: Strike, fault: str
) -> None:
    topic = names.topic("customers")
    admin.create_topic(topic, replicas=3, config={"retention.ms": "-1", "min.insync.replicas": "2"})
    history = LogHistory(rules=rules(has_exact_segments=False), limits=Limits())

    with LogWatch(cluster.bootstrap, topic, history) as watch:
        for _ in range(10):
            now_ms = int(time.time() * 1000)
            watch.append(now_ms, now_ms, now_ms)
        low = watch.delete_records(10)
        found = starts(cluster, topic)
        require((low, found), (10, dict.fromkeys(found, 10)), "the low watermark, and where each node's log starts")
        with watch.broken(fault, forgets=True):
            strike(fault, topic=topic)
        require(settled(cluster, topic, 10), dict.fromkeys(found, 10), f"where each node's log starts after {fault}")
        watch.append_now()
        watch.delete_records(20)
        time.sleep(1)

    watch.require_legal()
    require(starts(cluster, topic), dict.fromkeys(found, 20), "where each node's log starts after another deletion")
