"""The first and last offsets of a log never go back, whichever replica leads.

**Claim** While leaders are killed and others are elected, a client that sends the newest leader epoch that it knows
never sees the earliest offset or the latest offset (ListOffsets with read_uncommitted and read_committed) go back.
Within a leader epoch, the log start offset, last stable offset, high watermark and log end offset that the leader
reports never go back, and are never out of this order. Deleted records (DeleteRecords) stay deleted. The same holds for
the offsets that each replica reports of its own log, from its first append in an epoch until the next epoch. Between
two epochs a replica truncates no committed record that it held, and while it runs its log start offset never goes back.
Within an epoch of the metadata quorum, the high watermark of the metadata log and the log end offset of each of its
replicas, as the quorum's leader reports them, never go back.

**Why it matters** A consumer whose position is beyond the end of the log is reset, and then reads records again or
skips some.

**Kafka says** KIP-207 (a new leader answers ListOffsets when its high watermark has caught up), KIP-101, KIP-107,
KIP-392 (followers answer consumers), KIP-595 (DescribeQuorum).

**Cannot see** what a replica holds between two requests. Clients that send no leader epoch, which a former leader may
answer.

**Rejects** tests/plants/clusters/test_ends_checks.py::test_a_check_rejects_the_bug
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from harness.clients.leader_connections import EARLIEST, LATEST, RawAdmin
from harness.clients.node_client import TROUBLE, NodeClient
from harness.hosts import cluster_time as time
from harness.judging.outcome import BrokenPromise, Unproven
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.record import CheckRecord
from harness.replicas.ends import IN_ORDER, ReplicaEnds, Telling
from harness.targets.target import Cluster, Node, TargetTrouble
from nemesis.restore import restore
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.delete_records_request import (
    DeleteRecordsPartition,
    DeleteRecordsRequest,
    DeleteRecordsTopic,
)
from reference_broker.wire.messages.describe_quorum_request import DescribeQuorumRequest, PartitionData, TopicData
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchRequest, FetchTopic
from reference_broker.wire.messages.list_offsets_request import (
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
)
from reference_broker.wire.primitives import BrokerId, TopicName

pytestmark = [
    pytest.mark.cluster(nodes=3, controllers=1),
    pytest.mark.feature("ListOffsets"),
    pytest.mark.severity("critical"),
    pytest.mark.long,
    pytest.mark.kip(207, 101, 107, 392, 595),
]
KILLS = 2
LED_WITHIN_S = 40.0
LOOKS_BETWEEN = 40
"""The number of rounds (writes, and requests for the offsets) before each kill, and after the last."""
ASKED_FOR_S = 2.0
METADATA_LOG = "__cluster_metadata"
CONSUMER, DEBUGGER = -1, -2
"""Replica ids: a consumer is told the high watermark as the latest offset, a debugging client the log end offset."""


@dataclass(slots=True)
class Ends:
    """The highest value seen of each offset: as clients see it, or as one leader reports it in its epoch."""

    highest: dict[tuple[str, str], int] = field(default_factory=dict)
    looks: int = 0
    epochs: set[int] = field(default_factory=set)

    def saw(self, what: str, whose: str, offset: int) -> None:
        """Notes an offset; raises BrokenPromise if it was higher before."""
        known = self.highest.get((what, whose), -1)
        if offset < known:
            raise BrokenPromise(
                f"The {what} goes back from {known} to {offset} ({whose}).", claim="D7", anomaly="an end goes back"
            )
        self.highest[what, whose] = offset

    def saw_leader(self, node: int, epoch: int, ends: dict[str, int]) -> None:
        """Notes what a leader reports; raises BrokenPromise if the offsets are out of order. They were asked for in the
        order of IN_ORDER, so that each may have risen meanwhile."""
        whose = f"node {node}, which leads in epoch {epoch}"
        for what, offset in ends.items():
            self.saw(what, whose, offset)
        told = [ends[what] for what in IN_ORDER if what in ends]
        if told != sorted(told):
            raise BrokenPromise(
                f"The ends are out of order: {ends} ({whose}).", claim="D7", anomaly="ends out of order"
            )
        self.looks += 1
        self.epochs.add(epoch)


def list_offset(
    client: NodeClient, topic: str, epoch: int, timestamp: int, *, isolation: int = 0, replica: int = CONSUMER
) -> int | None:
    """The offset for a timestamp, requested with a leader epoch; None if the node answers with an error."""
    wanted = ListOffsetsPartition(partition_index=0, current_leader_epoch=epoch, timestamp=timestamp)
    request = ListOffsetsRequest(
        replica_id=BrokerId(replica),
        isolation_level=isolation,
        topics=(ListOffsetsTopic(name=TopicName(topic), partitions=(wanted,)),),
        timeout_ms=1_000,
    )
    found = client.ask(ApiKey.LIST_OFFSETS, 9, request).topics[0].partitions[0]
    return None if found.error_code else int(found.offset)


def fetched(client: NodeClient, topic: str, epoch: int, offset: int) -> dict[str, int] | None:
    """The offsets in the answer to a Fetch with a leader epoch; None if the node answers with an error."""
    wanted = FetchPartition(
        partition=0, current_leader_epoch=epoch, fetch_offset=offset, partition_max_bytes=1, log_start_offset=-1
    )
    request = FetchRequest(
        max_wait_ms=0, min_bytes=0, max_bytes=1, topics=(FetchTopic(topic=TopicName(topic), partitions=(wanted,)),)
    )
    found = client.ask(ApiKey.FETCH, 12, request).responses[0].partitions[0]
    if found.error_code:
        return None
    return {
        "log start": int(found.log_start_offset),
        "last stable offset": int(found.last_stable_offset),
        "high watermark": int(found.high_watermark),
    }


def look(node: Node, topic: str, epoch: int, ends: Ends) -> None:
    """Notes the offsets that the leader of an epoch reports; notes nothing if the node does not answer as the
    leader."""
    with NodeClient(node.address, timeout_s=ASKED_FOR_S) as client:
        first = list_offset(client, topic, epoch, EARLIEST)
        committed = list_offset(client, topic, epoch, LATEST, isolation=1)
        last = list_offset(client, topic, epoch, LATEST)
        for what, offset in (("first offset", first), ("committed last offset", committed), ("last offset", last)):
            if offset is not None:
                ends.saw(what, "as clients see it", offset)
        told = fetched(client, topic, epoch, last or first or 0)
        log_end = list_offset(client, topic, epoch, LATEST, replica=DEBUGGER)
        if told is not None:
            ends.saw_leader(node.id, epoch, told if log_end is None else {**told, "log end": log_end})


def look_at_replica(node: Node, life: int, topic: str, epoch: int, committed: int, replicas: ReplicaEnds) -> None:
    """Notes the offsets of a node's own log; notes nothing if the node is down or does not know the leader epoch."""
    try:
        with NodeClient(node.address, timeout_s=ASKED_FOR_S) as client:
            first = list_offset(client, topic, epoch, EARLIEST, replica=DEBUGGER)
            told = None if first is None else fetched(client, topic, epoch, first)
            log_end = list_offset(client, topic, epoch, LATEST, replica=DEBUGGER)
    except TROUBLE:
        return
    if told is not None and log_end is not None:
        replicas.saw(Telling(node.id, life, epoch, committed, {**told, "log end": log_end}))


def look_at_quorum(client: NodeClient, ends: Ends) -> None:
    """Notes the offsets that the quorum's leader reports of the metadata log; notes nothing if there is no leader."""
    asked = TopicData(topic_name=TopicName(METADATA_LOG), partitions=(PartitionData(partition_index=0),))
    found = client.ask(ApiKey.DESCRIBE_QUORUM, 1, DescribeQuorumRequest(topics=(asked,))).topics[0].partitions[0]
    if found.error_code:
        return
    whose = f"the metadata log, as node {found.leader_id} tells it, which leads in epoch {found.leader_epoch}"
    ends.saw("high watermark", whose, int(found.high_watermark))
    for replica in (*found.current_voters, *found.observers):
        if replica.log_end_offset >= 0:
            ends.saw("log end", f"node {replica.replica_id}'s of {whose}", int(replica.log_end_offset))


def delete_records(client: NodeClient, topic: str, before: int) -> ErrorCode:
    wanted = DeleteRecordsPartition(partition_index=0, offset=before)
    request = DeleteRecordsRequest(
        topics=(DeleteRecordsTopic(name=TopicName(topic), partitions=(wanted,)),), timeout_ms=2_000
    )
    return ErrorCode(client.ask(ApiKey.DELETE_RECORDS, 2, request).topics[0].partitions[0].error_code)


class Work:
    """Writes to the leader of a partition, and notes the offsets that the leader and the replicas report."""

    def __init__(self, cluster: Cluster, topic: str) -> None:
        self._cluster, self._topic = cluster, topic
        self._nodes = {node.id: node for node in cluster.nodes}
        self.ends, self.replicas = Ends(), ReplicaEnds()
        self.lives = dict.fromkeys(self._nodes, 0)
        """How often each node was killed, by node id."""
        self.leader, self.epoch, self.written = -1, -1, 0

    def turn(self) -> bool:
        """Writes some records with acks=1 and one with acks=all, and notes the offsets; returns whether the last was
        acknowledged."""
        try:
            view = self._cluster.view(topics=[self._topic])
            where = (self._topic, 0)
            if view.leader_epochs.get(where, -1) >= self.epoch and where in view.leaders:
                self.leader, self.epoch = view.leaders[where], view.leader_epochs[where]
            node = self._nodes[self.leader]
            with NodeClient(node.address, timeout_s=ASKED_FOR_S) as client:
                client.produce(self._topic, *(f"value {number}" for number in range(5)), acks=1)
                look(node, self._topic, self.epoch, self.ends)
                error = client.produce(self._topic, "for all", timeout_ms=1_000).error
                look_at_quorum(client, self.ends)
            look(node, self._topic, self.epoch, self.ends)
            committed = self.ends.highest.get(("last offset", "as clients see it"), 0)
            for copy in view.replicas[where]:
                look_at_replica(self._nodes[copy], self.lives[copy], self._topic, self.epoch, committed, self.replicas)
        except (*TROUBLE, TargetTrouble):
            time.sleep(0.1)
            return False
        self.written += error is ErrorCode.NONE
        return error is ErrorCode.NONE

    def turns(self, count: int) -> None:
        """Takes turns until the leader has acknowledged this many; raises BrokenPromise if that takes too long."""
        done, deadline = 0, time.monotonic() + LED_WITHIN_S
        while done < count:
            done += self.turn()
            if time.monotonic() > deadline:
                raise BrokenPromise(
                    f"{self._topic}-0 took {done} of {count} writes for all replicas within {LED_WITHIN_S:g} s.",
                    claim="L2",
                )

    def delete_half(self) -> None:
        """Deletes the first half of the records; notes the new first offset if the leader confirms the deletion."""
        with NodeClient(self._nodes[self.leader].address) as client:
            last = list_offset(client, self._topic, self.epoch, LATEST) or 0
            if delete_records(client, self._topic, last // 2) is ErrorCode.NONE:
                self.ends.saw("first offset", "as clients see it", last // 2)


@pytest.mark.claim("D7", "R4", "L2")
def test_ends_never_go_back(cluster: Cluster, admin: RawAdmin, names: Names, record: CheckRecord) -> None:
    topic = names.topic("orders")
    admin.create_topic(topic, 1, 3, {"min.insync.replicas": "2"})
    nodes = {node.id: node for node in cluster.nodes}
    work = Work(cluster, topic)
    try:
        work.turns(LOOKS_BETWEEN)
        for _ in range(KILLS):
            work.delete_half()
            leader = work.leader
            with record.step(f"kill leader {leader}"):
                record.faults += 1
                nodes[leader].kill()
                work.lives[leader] += 1
            work.turns(LOOKS_BETWEEN)
            with record.step(f"start node {leader}"):
                nodes[leader].start()
                nodes[leader].wait_ready()
            work.turns(LOOKS_BETWEEN)
            cluster.wait_healthy()
    finally:
        restore(cluster)
    work.turns(LOOKS_BETWEEN)
    record.operations += work.written
    record.steps.append(f"{work.ends.looks} looks in {len(work.ends.epochs)} leader epochs")
    compared = {node: work.replicas.looks[node] for node in cluster.view(topics=[topic]).replicas[topic, 0]}
    record.steps.append(f"looks compared of each node's replica: {compared}")
    if len(work.ends.epochs) <= KILLS or work.ends.looks < LOOKS_BETWEEN:
        raise Unproven(
            f"{work.ends.looks} looks in {len(work.ends.epochs)} leader epochs; {LOOKS_BETWEEN} looks in "
            f"{KILLS + 1} epochs are needed"
        )
    if min(compared.values()) < LOOKS_BETWEEN:
        raise Unproven(f"looks compared of each node's replica: {compared}; {LOOKS_BETWEEN} of each are needed")
