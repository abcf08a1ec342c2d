"""Metadata snapshots agree with the metadata log, and every node has the same metadata.

**Claim** On each node, a metadata snapshot equals the state that results from the records before it, and with the
records after it gives the state that results from all records. All nodes hold the same records at the same offsets.
Once nothing changes any more, every broker describes brokers, topics, partitions and settings as these records do. In
the log the leader of a partition is in its ISR, the ISR consists of replicas, a broker that joins the ISR is not
fenced, and leader epochs, partition epochs and broker epochs never decrease. This holds after topics were created,
changed and deleted, and after a node was killed and restarted meanwhile.

**Why it matters** A node that starts from an incomplete snapshot has other metadata than the other nodes.

**Kafka says** KIP-630 (snapshots), KIP-631 (records), KIP-595 (the log); KIP-841 and KIP-966 for ISR and leaders.

**Cannot see** state that is neither in a record nor visible to clients, such as the time of a heartbeat; snapshots that
are fetched over the network; settings of topics that are created and deleted while a node is down, which Kafka 4.3.1
keeps on that node (metadata/deleted_topics_leave_no_settings).

**Rejects** tests/plants/clusters/test_metadata_log_checks.py::test_a_wrong_log_is_rejected,
tests/plants/clusters/test_metadata_log_checks.py::test_a_node_that_tells_otherwise_is_rejected
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from harness.clients.leader_connections import RawAdmin
from harness.clients.node_admin import NodeAdmin
from harness.clients.node_client import TROUBLE
from harness.hosts import cluster_time as time
from harness.judging.outcome import BrokenPromise, Unproven, require
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.record import CheckRecord
from harness.replicas.collecting import metadata_logs_of
from harness.replicas.metadata_log import MetadataLog
from harness.replicas.metadata_state import MetadataState, differences, replayed, wrongs
from harness.targets.node_plan import Role
from harness.targets.target import Cluster
from nemesis.restore import restore
from reference_broker.wire.errors import ErrorCode

pytestmark = [
    pytest.mark.cluster(nodes=3, config={"metadata.log.max.record.bytes.between.snapshots": "2000"}),
    pytest.mark.feature("KRaft"),
    pytest.mark.severity("blocker"),
    pytest.mark.kip(630, 631, 595, 841, 966),
]
TOPICS = 8
AGREE_WITHIN_S = 20.0
"""Time for brokers to learn of the last change."""
TOPIC = 2
"""The resource type of topics."""


@pytest.mark.claim("M2", "M3", "M4")
def test_snapshots_logs_and_nodes_tell_the_same(
    cluster: Cluster, admin: RawAdmin, names: Names, record: CheckRecord
) -> None:
    change(cluster, admin, [names.topic(f"first-{number}") for number in range(TOPICS)])
    node = cluster.nodes[-1]
    try:
        with record.step(f"kill node {node.id}"):
            record.faults += 1
            node.kill()
        change(cluster, admin, [names.topic(f"second-{number}") for number in range(TOPICS)])
    finally:
        with record.step(f"start node {node.id}"):
            restore(cluster)
    cluster.wait_healthy()
    logs = metadata_logs_of(cluster)
    for log in logs:
        require_sound(log)
        require_snapshots(log)
    require_same_records(logs)
    require_all_tell_it(cluster)


def change(cluster: Cluster, admin: RawAdmin, topics: Sequence[str]) -> None:
    """Creates topics; deletes the first, which has no settings; sets two settings of the second and unsets one of
    them."""
    for topic in topics:
        admin.create_topic(topic, 2, 3, {} if topic == topics[0] else {"retention.ms": "100000000"})
    with NodeAdmin(cluster.nodes[0].address) as client:
        require(client.delete_topic(topics[0]), ErrorCode.NONE, "the answer to the deletion of a topic")
        for settings in ({"retention.ms": "7200000", "segment.bytes": "2000000"}, {"segment.bytes": None}):
            require(client.set_config(topics[1], settings), ErrorCode.NONE, "the answer to a change of settings")


def require_sound(log: MetadataLog) -> None:
    """Raises BrokenPromise if a record breaks a rule of the metadata log."""
    found = list(wrongs(log.records))
    if found:
        raise BrokenPromise(
            f"The metadata log of node {log.node} says what must not be: {found[0]}.", witness=found[:6], claim="M4"
        )


def require_snapshots(log: MetadataLog) -> None:
    """Raises BrokenPromise if a snapshot differs from the records before it; Unproven if there is no snapshot to
    compare."""
    inside = [one for one in log.snapshots if log.start < one.end < log.end and one.records]
    if log.start or not inside:
        raise Unproven(
            f"node {log.node} has no snapshot between offset 0, where its metadata log must begin, and its end "
            f"(it begins at {log.start}, with snapshots at {[one.end for one in log.snapshots]})"
        )
    whole = replayed(log.records).facts()
    for snapshot in inside:
        before = replayed(one for one in log.records if one.offset < snapshot.end).facts()
        told = replayed(snapshot.records)
        require_alike(before, told.facts(), f"the snapshot of node {log.node} at {snapshot.end}")
        after = replayed((one for one in log.records if one.offset >= snapshot.end), onto=told).facts()
        require_alike(whole, after, f"what follows the snapshot of node {log.node} at {snapshot.end}")


def require_alike(wanted: dict[Any, Any], found: dict[Any, Any], what: str) -> None:
    """Raises BrokenPromise if two states differ."""
    lines = differences(wanted, found)
    if lines:
        raise BrokenPromise(
            f"All records, and {what}, tell different things: {lines[0]}.", witness=lines[:6], claim="M3"
        )


def require_same_records(logs: Sequence[MetadataLog]) -> None:
    """Raises BrokenPromise if two nodes hold different records below the smaller of their log end offsets."""
    first = logs[0]
    for other in logs[1:]:
        end = min(first.end, other.end)
        ours, theirs = ({one.offset: one for one in log.records if one.offset < end} for log in (first, other))
        for offset in sorted({*ours, *theirs}):
            if ours.get(offset) != theirs.get(offset):
                raise BrokenPromise(
                    f"Nodes {first.node} and {other.node} hold different metadata at offset {offset}.",
                    witness=[f"node {first.node}: {ours.get(offset)}", f"node {other.node}: {theirs.get(offset)}"],
                    claim="M2",
                )


def require_all_tell_it(cluster: Cluster) -> None:
    """Raises BrokenPromise unless every broker soon reports what the records contain."""
    deadline = time.monotonic() + AGREE_WITHIN_S
    brokers = [node for node in cluster.nodes if Role.BROKER in node.roles]
    while True:
        state = replayed(metadata_logs_of(cluster, [brokers[0].id])[0].records)
        wanted = promised(state)
        told = {}
        for node in brokers:
            try:
                with NodeAdmin(node.address) as client:
                    told[node.id] = told_by(client, list(state.topics.values()))
            except TROUBLE as trouble:
                told[node.id] = {"trouble": str(trouble)}
        if all(found == wanted for found in told.values()):
            return
        if time.monotonic() > deadline:
            for node_id, found in told.items():
                require(found, wanted, f"what node {node_id} tells, as the metadata log says,", claim="M3")
        time.sleep(0.3)


def promised(state: MetadataState) -> dict[str, Any]:
    """The brokers, topics, partitions and topic settings that every broker must report."""
    found: dict[str, Any] = {"brokers": sorted(one for one, broker in state.brokers.items() if not broker.is_fenced)}
    for topic_id, name in state.topics.items():
        found[f"topic {name}"] = topic_id.hex()
        own = {key[3]: value for key, value in state.others.items() if key[:3] == ("config", TOPIC, name)}
        found[f"settings of {name}"] = own
    for (topic_id, index), one in state.partitions.items():
        where = f"partition {state.topics[topic_id]}-{index}"
        found[where] = (one.leader, one.leader_epoch, one.replicas, tuple(sorted(one.isr)))
    return found


def told_by(client: NodeAdmin, topics: Sequence[str]) -> dict[str, Any]:
    """The same, as a node reports it."""
    answer = client.metadata()
    found: dict[str, Any] = {"brokers": sorted(int(one.node_id) for one in answer.brokers)}
    for topic in answer.topics:
        found[f"topic {topic.name}"] = bytes(topic.topic_id).hex()
        for one in topic.partitions:
            isr = tuple(sorted(map(int, one.isr_nodes)))
            replicas = tuple(map(int, one.replica_nodes))
            where = f"partition {topic.name}-{one.partition_index}"
            found[where] = (int(one.leader_id), int(one.leader_epoch), replicas, isr)
    for name in topics:
        found[f"settings of {name}"] = client.own_config(name)
    return found
