"""Each replication factor keeps what it promises, with acks=all and with acks=1.

**Claim** With acks=all, for each tested replication factor (1, 2, 3 or 5) and min.insync.replicas (1 or more), an
acknowledged record is in the log at the end of the run, exactly once and at the acknowledged offset, even if the leader
is killed, or a minority of the nodes. If unclean leader election is enabled but an in-sync replica can become leader,
no acknowledged record is lost either. When the nodes are back, every partition accepts writes, and in-sync replicas
hold the same batches. With acks=1 only records that were acknowledged shortly before or during the loss of their leader
may be missing.

**Why it matters** Replicas cost money; each replication factor must mean what the documentation says.

**Kafka says** producer configuration acks; topic configurations min.insync.replicas, unclean.leader.election.enable;
Kafka documentation, "Replication".

**Cannot see** loss of a disk or of power.

**Rejects** tests/plants/clusters/test_driven_checks.py::test_a_check_rejects_the_history,
tests/plants/clusters/test_driven_checks.py::test_losses_far_from_a_fault_are_rejected
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from harness.clients.node_client import NodeClient
from harness.judging.activity import Needs
from harness.judging.availability import NO_FAULT
from harness.judging.guarantees import ClientSettings
from harness.judging.losses import FaultLosses, losses
from harness.judging.outcome import BrokenPromise, require
from harness.pytest_plugin.drive import Drive
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.record import CheckRecord
from harness.replicas.collecting import require_equal_replicas
from harness.targets.target import Cluster
from harness.workloads.queue import Queue
from nemesis import kill, leader, minority
from reference_broker.wire.errors import ErrorCode

pytestmark = [
    pytest.mark.cluster(nodes=3),
    pytest.mark.feature("Replication"),
    pytest.mark.severity("blocker"),
    pytest.mark.long,
]
LASTS_S = 16.0
HELD_S = 6.0
"""Twice broker.session.timeout.ms of clusters that the harness starts: another replica leads before the heal."""
NEEDED = 300
"""Minimum number of acknowledged records, and of reads."""
BEFORE_MS = 5_000
"""How long before the loss of its leader a missing record may have been acknowledged. Followers fetch all the time, so
that they should not lag by more."""
AFTER_MS = 30_000
"""How long after the heal a missing record may have been acknowledged: a former leader may need its session timeout,
and the timeout of its pending requests, to learn that it no longer leads."""


@dataclass(frozen=True, slots=True)
class Copies:
    """How a topic is replicated."""

    replicas: int
    min_insync: int
    is_unclean: bool = False

    def __str__(self) -> str:
        copies = "1 copy" if self.replicas == 1 else f"{self.replicas} copies"
        return f"{copies}, {self.min_insync} in sync{', unclean' if self.is_unclean else ''}"

    @property
    def config(self) -> dict[str, str]:
        """The topic's settings."""
        return {
            "min.insync.replicas": str(self.min_insync),
            "unclean.leader.election.enable": str(self.is_unclean).lower(),
        }


def queue_of(names: Names, acks: str, replicas: int) -> Queue:
    """The workload. A run in which no other replica became leader proves nothing, unless the topic has only one
    replica."""
    return Queue(
        topic=names.topic("orders"),
        partitions=2,
        client=ClientSettings(acks=acks, is_idempotent=acks == "all"),
        needs=Needs(acknowledged=NEEDED, reads=NEEDED, leader_changes=int(replicas > 1)),
    )


@pytest.mark.claim("D1", "D6", "D8", "O1", "O2", "O5", "L2")
@pytest.mark.parametrize("copies", [Copies(1, 1), Copies(2, 1), Copies(2, 2), Copies(3, 1), Copies(3, 3)], ids=str)
def test_copies_on_three_nodes(cluster: Cluster, drive: Drive, names: Names, copies: Copies) -> None:
    run(cluster, drive, queue_of(names, "all", copies.replicas), copies)


@pytest.mark.claim("D5", "D6", "L2")
def test_an_in_sync_replica_leads_also_where_unclean_elections_are_allowed(
    cluster: Cluster, drive: Drive, names: Names, record: CheckRecord
) -> None:
    queue = queue_of(names, "all", 3)
    driven = drive(
        queue, kill(leader), replicas=3, config=Copies(3, 2, is_unclean=True).config, duration_s=LASTS_S, hold_s=HELD_S
    )
    require_kept(losses(driven.evidence) or ())
    cluster.wait_healthy()
    require_takes_writes(cluster, queue)
    require_equal_replicas(cluster, queue.topic, queue.partitions)


@pytest.mark.claim("D12", "D6")
@pytest.mark.parametrize("copies", [Copies(2, 1), Copies(3, 1)], ids=str)
def test_acks_1_loses_around_the_loss_of_a_leader_only(
    cluster: Cluster, drive: Drive, names: Names, record: CheckRecord, copies: Copies
) -> None:
    queue = queue_of(names, "1", copies.replicas)
    driven = drive(
        queue, kill(leader), replicas=copies.replicas, config=copies.config, duration_s=LASTS_S, hold_s=HELD_S
    )
    found = losses(driven.evidence) or ()
    record.steps += [each.sentence for each in found]
    require_near_faults(found)
    cluster.wait_healthy()
    require_takes_writes(cluster, queue)
    require_equal_replicas(cluster, queue.topic, queue.partitions)


@pytest.mark.claim("D1", "D6", "D8", "O1", "O2", "O5", "L2")
@pytest.mark.cluster(nodes=5, controllers=1)
@pytest.mark.parametrize("copies", [Copies(5, 3)], ids=str)
def test_copies_on_five_nodes(cluster: Cluster, drive: Drive, names: Names, copies: Copies) -> None:
    queue = queue_of(names, "all", 0)
    drive(queue, kill(minority), replicas=copies.replicas, config=copies.config, duration_s=LASTS_S, hold_s=HELD_S)
    cluster.wait_healthy()
    require_takes_writes(cluster, queue)
    require_equal_replicas(cluster, queue.topic, queue.partitions)


def run(cluster: Cluster, drive: Drive, queue: Queue, copies: Copies) -> None:
    """Runs the workload while a leader is killed; `drive` judges what acks=all forbids."""
    drive(queue, kill(leader), replicas=copies.replicas, config=copies.config, duration_s=LASTS_S, hold_s=HELD_S)
    cluster.wait_healthy()
    require_takes_writes(cluster, queue)
    if copies.replicas > 1:
        require_equal_replicas(cluster, queue.topic, queue.partitions)


def require_takes_writes(cluster: Cluster, queue: Queue) -> None:
    """Raises BrokenPromise if a partition's leader does not acknowledge a write with acks=all."""
    leaders = cluster.view(topics=[queue.topic]).leaders
    addresses = {node.id: node.address for node in cluster.nodes}
    for partition in range(queue.partitions):
        with NodeClient(addresses[leaders[queue.topic, partition]]) as client:
            error = client.produce(queue.topic, "goes on", partition=partition).error
        require(error, ErrorCode.NONE, f"the answer to a write to partition {partition} when all nodes are back")


def require_kept(found: Sequence[FaultLosses]) -> None:
    """Raises BrokenPromise if an acknowledged record is missing."""
    if any(each.lost for each in found):
        told = "; ".join(each.sentence for each in found)
        raise BrokenPromise(
            f"Acknowledged records are missing, though an in-sync replica was there to lead: {told}.", claim="D5"
        )


def require_near_faults(found: Sequence[FaultLosses]) -> None:
    """Raises BrokenPromise if a missing record was not acknowledged around the loss of a leader."""
    for each in found:
        if (each.lost and each.fault == NO_FAULT) or each.before_ms > BEFORE_MS or each.after_ms > AFTER_MS:
            raise BrokenPromise(
                f"Records acknowledged with acks=1 are missing that were not acknowledged around the loss of a leader "
                f"({BEFORE_MS:,} ms before it and {AFTER_MS:,} ms after its heal are allowed): {each.sentence}.",
                claim="D12",
            )
