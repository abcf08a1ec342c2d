"""When no in-sync replica is left, only a replica that has every committed record becomes leader.

**Claim** A replica that leaves the ISR when the ISR has min.insync.replicas members or fewer becomes an eligible leader
replica, and DescribeTopicPartitions lists it. After all replicas have been stopped one after another: a replica that
left the ISR while it was larger than min.insync.replicas does not become leader when it is started first; an eligible
one becomes leader when it is back, and then the partition holds every record that was acknowledged with acks=all,
exactly once. An eligible replica that was killed (unclean shutdown) is no longer eligible when it is back: it does not
become leader, and the last leader does when it is back, with every such record.

**Why it matters** Without it a partition is unavailable until one particular broker is back, or until an operator gives
up records.

**Kafka says** KIP-966 (eligible leader replicas), on by default in new clusters from 4.1 on.

**Cannot see** replicas that lose flushed data; unclean recovery, in which the controller elects the last known leader.

**Rejects** tests/plants/clusters/test_eligible_checks.py::test_a_check_rejects_the_bug
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from harness.clients.leader_connections import RawAdmin
from harness.clients.node_admin import NodeAdmin
from harness.clients.node_client import TROUBLE, NodeClient, until
from harness.hosts import cluster_time as time
from harness.judging.outcome import BrokenPromise, require
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
    pytest.mark.kip(966),
]
SHRINKS_WITHIN_S = 20.0
"""Time for the controller to fence a broker (broker.session.timeout.ms), and for other brokers to learn of it."""
LEADS_WITHIN_S = 30.0
ACKNOWLEDGED = ["by three", "by two"]
UNACKNOWLEDGED = "by one"
WATCHED_S = 6.0
"""Twice the session timeout of these clusters: long enough for a forbidden election to happen."""


@dataclass(frozen=True, slots=True)
class Replicas:
    """The three replicas of a partition, in the order in which they are stopped."""

    topic: str
    first: Node
    second: Node
    last: Node
    """The leader."""


def replicas_of(cluster: Cluster, topic: str) -> Replicas:
    """The leader of partition 0, and its followers in the order of the assignment."""
    view = cluster.view(topics=[topic])
    nodes = {node.id: node for node in cluster.nodes}
    first, second = (nodes[one] for one in view.followers_of(topic))
    return Replicas(topic, first, second, nodes[view.leaders[topic, 0]])


def eligible(node: Node, topic: str) -> tuple[int, ...]:
    """The eligible leader replicas of partition 0, as a node reports them."""
    with NodeAdmin(node.address, timeout_s=3.0) as client:
        return tuple(sorted(client.described(topic).eligible_leader_replicas or ()))


def leader_as_told(node: Node, topic: str) -> int:
    """The leader of partition 0, as a node reports it; -1 if there is none, or if the node does not answer."""
    try:
        with NodeAdmin(node.address, timeout_s=3.0) as client:
            return int(client.described(topic).leader_id)
    except TROUBLE:
        return -1


def lose_in_turn(cluster: Cluster, parts: Replicas, record: CheckRecord, *, is_second_killed: bool) -> None:
    """Stops the first follower, stops or kills the second, and stops the leader; writes a record before each."""
    topic = parts.topic
    with NodeClient(parts.last.address) as client:
        require(client.produce(topic, "by three").error, ErrorCode.NONE, "the answer while three are in sync")
        with record.step(f"stop follower {parts.first.id}"):
            record.faults += 1
            parts.first.stop()
        wait_for_isr(cluster, topic, {parts.second.id, parts.last.id})
        require(client.produce(topic, "by two").error, ErrorCode.NONE, "the answer while two are in sync")
        require(eligible(parts.last, topic), (), "the eligible replicas while the ISR is at its minimum")
        with record.step(f"{'kill' if is_second_killed else 'stop'} follower {parts.second.id}"):
            record.faults += 1
            (parts.second.kill if is_second_killed else parts.second.stop)()
        wait_for_isr(cluster, topic, {parts.last.id})
        # A leader that does not know the smaller ISR yet appends the record, and answers REQUEST_TIMED_OUT.
        is_acknowledged = client.produce(topic, UNACKNOWLEDGED, timeout_ms=2_000).error is ErrorCode.NONE
        require(is_acknowledged, False, "that a write is acknowledged while one is in sync")
    until(
        lambda: eligible(parts.last, topic) == (parts.second.id,),
        SHRINKS_WITHIN_S,
        f"node {parts.second.id}, which left the ISR of {topic}-0 at its minimum, is told to be eligible",
    )
    with record.step(f"stop leader {parts.last.id}"):
        record.faults += 1
        parts.last.stop()


def wait_for_isr(cluster: Cluster, topic: str, nodes: set[int]) -> None:
    until(
        lambda: set(cluster.view(topics=[topic]).isr.get((topic, 0), ())) == nodes,
        SHRINKS_WITHIN_S,
        f"the ISR of {topic}-0 is {sorted(nodes)}",
    )


def require_does_not_lead(node: Node, topic: str, why: str) -> None:
    """Starts a node and watches it for WATCHED_S; raises BrokenPromise if it becomes leader."""
    node.start()
    node.wait_ready()
    deadline = time.monotonic() + WATCHED_S
    while time.monotonic() < deadline:
        if leader_as_told(node, topic) == node.id:
            raise BrokenPromise(f"Node {node.id} leads {topic}-0; {why}.", claim="D5", anomaly="unclean leader")
        time.sleep(0.2)


def require_leads_with_all(node: Node, topic: str) -> None:
    """Raises BrokenPromise unless a node that was started becomes leader and serves every acknowledged record.

    It serves no record above its high watermark, which rises only when min.insync.replicas replicas are in sync.
    """
    until(
        lambda: leader_as_told(node, topic) == node.id,
        LEADS_WITHIN_S,
        f"node {node.id} leads {topic}-0 when it is back",
    )
    until(
        lambda: len(served(node, topic)) >= len(ACKNOWLEDGED),
        LEADS_WITHIN_S,
        f"node {node.id} serves the {len(ACKNOWLEDGED)} records of {topic}-0 that were acknowledged",
    )
    require(served(node, topic), ACKNOWLEDGED, "what the partition holds", claim="D1")


def served(node: Node, topic: str) -> list[str]:
    """The values that a node serves from partition 0, except the unacknowledged one, which may or may not be there."""
    with NodeClient(node.address) as client:
        return [value for _, value in client.fetch(topic, 0).values if value != UNACKNOWLEDGED]


@contextmanager
def all_lost_in_turn(
    cluster: Cluster, admin: RawAdmin, names: Names, record: CheckRecord, *, is_second_killed: bool
) -> Iterator[Replicas]:
    """Yields three replicas, all stopped. At the end, starts all nodes; the replicas must be in sync and hold the same
    batches."""
    topic = names.topic("orders")
    admin.create_topic(topic, 1, 3, {"min.insync.replicas": "2"})
    parts = replicas_of(cluster, topic)
    try:
        lose_in_turn(cluster, parts, record, is_second_killed=is_second_killed)
        yield parts
    finally:
        restore(cluster)
    cluster.wait_healthy()
    require_equal_replicas(cluster, topic, 1)


@pytest.mark.claim("D5", "M5", "D1", "D6")
def test_an_eligible_replica_leads_when_none_is_in_sync(
    cluster: Cluster, admin: RawAdmin, names: Names, record: CheckRecord
) -> None:
    with all_lost_in_turn(cluster, admin, names, record, is_second_killed=False) as parts:
        with record.step(f"start node {parts.first.id}, which is not eligible"):
            require_does_not_lead(parts.first, parts.topic, "it left the ISR before that was at its minimum")
        with record.step(f"start node {parts.second.id}, which is eligible"):
            parts.second.start()
            require_leads_with_all(parts.second, parts.topic)


@pytest.mark.long
@pytest.mark.claim("D5", "M5", "D1", "D6")
def test_a_replica_that_did_not_end_in_order_is_not_eligible(
    cluster: Cluster, admin: RawAdmin, names: Names, record: CheckRecord
) -> None:
    with all_lost_in_turn(cluster, admin, names, record, is_second_killed=True) as parts:
        second, last, topic = parts.second, parts.last, parts.topic
        with record.step(f"start node {second.id}, which did not end in order"):
            require_does_not_lead(second, topic, "it was killed, and may have lost its last records")
            require(second.id in eligible(second, topic), False, "that a killed replica stays eligible")
        with record.step(f"start node {last.id}, which led last"):
            last.start()
            require_leads_with_all(last, topic)
