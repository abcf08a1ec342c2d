"""The ends of a log never go back, whoever leads.

**Claim** While leaders are killed and others elected, a client that names the newest leader epoch that it knows never
sees the first offset (ListOffsets, earliest) or the last one (latest, of all and of committed records) go back. Within
a leader's epoch neither its high watermark, nor its last stable offset, nor its log start, nor its log end goes back,
and they are in this order: log start, last stable offset, high watermark, log end. What DeleteRecords has taken away
stays away. The same holds of what each replica tells of its own log, from when it has appended in an epoch until the
next epoch; between two epochs it cuts off nothing that it held and that was committed, and while it runs its log start
never goes back. What the quorum's leader tells of the metadata log never goes back in its epoch: neither the high
watermark, nor the log end of a replica.

**Why it matters** A consumer that finds its position beyond the end of the log is reset, and reads again or skips.

**Kafka says** KIP-207 (a new leader answers ListOffsets when its high watermark has caught up), KIP-101, KIP-107,
KIP-392 (followers answer consumers), KIP-595 (DescribeQuorum).

**Cannot see** what a replica holds between two looks. Clients that name no leader epoch, and may be answered by a
leader of yesterday.

**Rejects** tests/plants/clusters/test_ends_checks.py::test_a_check_rejects_the_bug
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import pytest

from harness.clients.leader_connections import EARLIEST, LATEST, RawAdmin
from harness.clients.node_client import TROUBLE, NodeClient
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
"""Rounds of a write and a look before each kill, and after the last."""
ASKED_FOR_S = 2.0
METADATA_LOG = "__cluster_metadata"
CONSUMER, DEBUGGER = -1, -2
"""Replica ids: the high watermark is the end for a consumer, the log end for a debugger."""


@dataclass(slots=True)
class Ends:
    """The highest that was seen of each end, by whom it is told of: everybody's, or a leader's in its epoch."""

    highest: dict[tuple[str, str], int] = field(default_factory=dict)
    looks: int = 0
    epochs: set[int] = field(default_factory=set)

    def saw(self, what: str, whose: str, offset: int) -> None:
        """BrokenPromise when it was higher before."""
        known = self.highest.get((what, whose), -1)
        if offset < known:
            raise BrokenPromise(
                f"The {what} goes back from {known} to {offset} ({whose}).", claim="D7", anomaly="an end goes back"
            )
        self.highest[what, whose] = offset

    def saw_leader(self, node: int, epoch: int, ends: dict[str, int]) -> None:
        """What a leader tells at one time, one after another in the order of IN_ORDER, so that each may have risen."""
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
    """An end, asked for in a leader epoch; None where the node does not tell it now."""
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
    """The ends as an answer to Fetch tells them, asked for in a leader epoch; None where it is an error."""
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
    """One look at a node that is said to lead in an epoch; nothing is seen where it does not answer as the leader."""
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
    """One look at a node's own log; nothing is seen where it is away, or does not know the leader epoch."""
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
    """One look at what the quorum's leader tells of the metadata log; nothing is seen where nobody leads."""
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
    """Writes to a partition and looks at its ends, wherever its leader is."""

    def __init__(self, cluster: Cluster, topic: str) -> None:
        self._cluster, self._topic = cluster, topic
        self._nodes = {node.id: node for node in cluster.nodes}
        self.ends, self.replicas = Ends(), ReplicaEnds()
        self.lives = dict.fromkeys(self._nodes, 0)
        """Node → how often it was killed."""
        self.leader, self.epoch, self.written = -1, -1, 0

    def turn(self) -> bool:
        """Writes some records with acks=1 and one with acks=all, and looks; whether the leader took them."""
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
        """So many that the leader took. BrokenPromise when it takes too long."""
        done, deadline = 0, time.monotonic() + LED_WITHIN_S
        while done < count:
            done += self.turn()
            if time.monotonic() > deadline:
                raise BrokenPromise(
                    f"{self._topic}-0 took {done} of {count} writes for all replicas within {LED_WITHIN_S:g} s.",
                    claim="L2",
                )

    def delete_half(self) -> None:
        """Deletes the first half of the records, as far as the leader says that it did."""
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
