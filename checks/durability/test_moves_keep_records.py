"""Moving a partition keeps its records, and afterwards it has exactly the expected replicas.

**Claim** A partition that is reassigned to other brokers ends with exactly the requested replicas, all in sync and
equal, and with every acknowledged record, including those written during the move. A move to a dead broker does not
complete: the partition keeps its old replicas, and after the move is cancelled it has exactly those. After a preferred
leader election the preferred replica leads.

**Why it matters** Brokers are added and replaced by moving partitions; this must not lose records when nothing fails.

**Kafka says** KIP-455 (reassignment), KIP-460 (elections).

**Cannot see** throttled moves; moves between log folders of one broker.

**Rejects** tests/plants/clusters/test_cluster_checks.py::test_a_check_rejects_the_bug
"""

from __future__ import annotations

import pytest

from harness.clients.leader_connections import RawAdmin
from harness.clients.node_client import NodeClient, until
from harness.hosts import cluster_time as time
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.record import CheckRecord
from harness.replicas.collecting import require_equal_replicas
from harness.targets.target import Cluster
from nemesis.restore import restore
from reference_broker.wire.errors import ErrorCode

pytestmark = [
    pytest.mark.cluster(nodes=3, controllers=1),
    pytest.mark.feature("Reassignment"),
    pytest.mark.severity("critical"),
    pytest.mark.kip(455, 460),
]
MOVED_WITHIN_S = 60.0
WATCHED_S = 3.0
RECORDS = 200
WRITTEN_MEANWHILE = 20


def replicas(cluster: Cluster, topic: str) -> tuple[int, ...]:
    """The replicas of partition 0, in the order of the assignment."""
    return tuple(cluster.view(topics=[topic]).replicas[topic, 0])


@pytest.mark.claim("D13", "M12", "D6", "D1")
def test_a_move_ends_with_the_replicas_that_were_asked_for_and_every_record(
    cluster: Cluster, admin: RawAdmin, names: Names, record: CheckRecord
) -> None:
    topic = names.topic("orders")
    admin.create_topic(topic, 1, 2)
    before = replicas(cluster, topic)
    (third,) = sorted({1, 2, 3} - set(before))
    wanted = (third, before[1])
    nodes = {node.id: node for node in cluster.nodes}
    acknowledged = [f"value {number}" for number in range(RECORDS)]
    written = 0

    unsure: list[str] = []

    def has_moved() -> bool:
        """Writes a record, and returns whether the move has completed."""
        nonlocal written
        written += 1
        value = f"while it moves {written}"
        with NodeClient(nodes[cluster.view(topics=[topic]).leaders[topic, 0]].address) as leader:
            answered = leader.produce(topic, value).error
            (acknowledged if answered is ErrorCode.NONE else unsure).append(value)
        view = cluster.view(topics=[topic])
        return view.replicas[topic, 0] == wanted and sorted(view.isr[topic, 0]) == sorted(wanted)

    with NodeClient(nodes[before[0]].address) as client:
        require(client.produce(topic, *acknowledged).error, ErrorCode.NONE, "the answer before the move")
        # The move cannot end while the coming replica is paused, however fast a cluster is.
        with record.step(f"move to {wanted}, with node {third} paused at first"):
            nodes[third].pause()
            try:
                require(client.reassign(topic, wanted), ErrorCode.NONE, "the answer to the reassignment")
                for number in range(WRITTEN_MEANWHILE):
                    acknowledged.append(f"while node {third} is paused {number}")
                    require(client.produce(topic, acknowledged[-1]).error, ErrorCode.NONE, "the answer meanwhile")
            finally:
                nodes[third].resume()
    until(has_moved, MOVED_WITHIN_S, f"{topic}-0 has the replicas {wanted}, all in sync")
    with NodeClient(nodes[cluster.view(topics=[topic]).leaders[topic, 0]].address) as client:
        found = [value for _, value in client.fetch(topic, 0).values]
    # A write that the old leader did not acknowledge before it resigned may survive all the same.
    require([value for value in found if value not in unsure], acknowledged, "what the partition holds")
    require_equal_replicas(cluster, topic, 1)


@pytest.mark.claim("D13")
def test_the_preferred_replica_leads_when_it_is_asked_to(cluster: Cluster, admin: RawAdmin, names: Names) -> None:
    topic = names.topic("orders")
    admin.create_topic(topic, 1, 2)
    first, second = replicas(cluster, topic)
    nodes = {node.id: node for node in cluster.nodes}
    with NodeClient(nodes[first].address) as client:
        require(client.reassign(topic, (second, first)), ErrorCode.NONE, "the answer to the other order of replicas")
        until(
            lambda: replicas(cluster, topic) == (second, first),
            MOVED_WITHIN_S,
            f"{topic}-0 has its replicas in the order {second}, {first}",
        )
        require(cluster.view(topics=[topic]).leader_of(topic), first, "the leader before the election")
        require(client.elect_preferred(topic), ErrorCode.NONE, "the answer to the election")
    until(
        lambda: cluster.view(topics=[topic]).leader_of(topic) == second,
        MOVED_WITHIN_S,
        f"the preferred replica, node {second}, leads {topic}-0",
    )


@pytest.mark.claim("M12")
def test_a_move_that_cannot_end_is_cancelled_exactly(
    cluster: Cluster, admin: RawAdmin, names: Names, record: CheckRecord
) -> None:
    topic = names.topic("orders")
    admin.create_topic(topic, 1, 2)
    before = replicas(cluster, topic)
    (third,) = sorted({1, 2, 3} - set(before))
    nodes = {node.id: node for node in cluster.nodes}
    try:
        with NodeClient(nodes[before[0]].address) as client:
            with record.step(f"kill node {third}"):
                record.faults += 1
                nodes[third].kill()
            require(client.reassign(topic, (before[0], third)), ErrorCode.NONE, "the answer to the reassignment")
            until(
                lambda: third in replicas(cluster, topic),
                MOVED_WITHIN_S,
                f"node {third} is to have a replica of {topic}-0",
            )
            deadline = time.monotonic() + WATCHED_S
            while time.monotonic() < deadline:
                has = set(replicas(cluster, topic))
                require(has, {*before, third}, f"the replicas of {topic}-0 while node {third} is dead")
                require(third in cluster.view(topics=[topic]).isr[topic, 0], False, "that the dead replica is in sync")
                time.sleep(0.2)
            require(client.reassign(topic, None), ErrorCode.NONE, "the answer to the cancellation")
            until(
                lambda: replicas(cluster, topic) == before,
                MOVED_WITHIN_S,
                f"{topic}-0 has the replicas {before} again after the move was cancelled",
            )
            require(client.produce(topic, "after").error, ErrorCode.NONE, "the answer after the cancellation")
    finally:
        restore(cluster)
