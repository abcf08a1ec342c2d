"""Replicated records survive every fault that the nemesis can inject.

**Claim** On three nodes with min.insync.replicas=2, a record that was acknowledged with acks=all is in the log at the
end of the run, exactly once, at the acknowledged offset, with the bytes that were sent, and in its producer's order,
under each of these faults: nodes killed, paused or restarted, also all at once; a lost node replaced by an empty one;
network splits between nodes, or between nodes and clients; a network that loses, delays, duplicates, reorders or
throttles packets; clocks that jump, drift or oscillate; leaders moved and partitions reassigned. Consumers never see a
record disappear; those with assigned partitions never skip a record or go back. Afterwards the in-sync replicas hold
the same batches.

**Why it matters** Any part of a cluster can fail, in any of these ways.

**Kafka says** producer configuration acks; topic configuration min.insync.replicas; Kafka documentation,
"Replication"; KIP-101 and KIP-320 (truncation), KIP-966 (what may be lost).

**Cannot see** loss of power; combinations of faults (durability/sequences_of_faults, `python -m nemesis`); full disks
(durability/full_disk_of_one_replica); whether a fault made another replica leader
(durability/replicated_records_survive requires it).

**Rejects** tests/unit/harness/judging/checkers/test_queue_checkers.py::test_a_checker_rejects_its_anomaly,
tests/plants/clusters/test_cluster_checks.py::test_a_check_rejects_the_bug
"""

from __future__ import annotations

import pytest

from harness.judging.guarantees import ClientSettings
from harness.pytest_plugin.drive import Drive
from harness.pytest_plugin.names import Names
from harness.replicas.collecting import require_equal_replicas
from harness.targets.target import Cluster
from harness.workloads.queue import Queue

pytestmark = [
    pytest.mark.cluster(nodes=3),
    pytest.mark.feature("Replication"),
    pytest.mark.severity("blocker"),
    pytest.mark.long,
    pytest.mark.kip(101, 320, 966),
    pytest.mark.document("producer configuration acks", "https://kafka.apache.org/documentation/#producerconfigs_acks"),
    pytest.mark.document("Kafka documentation, Replication", "https://kafka.apache.org/documentation/"),
]
LASTS_S = 16.0
HELD_S = 6.0
FAULTS = [
    "kill followers",
    "kill majority",
    "kill all",
    "pause followers",
    "pause controller",
    "pause majority",
    "pause all",
    "restart followers",
    "restart controller",
    "restart all",
    "roll:controller-last",
    "membership",
    "partition:isolate-one",
    "partition:isolate-followers:brokers",
    "partition:isolate-controller:controllers",
    "partition:isolate-controller:nodes-and-clients",
    "partition:isolate-leader:clients",
    "partition:isolate-minority",
    "partition:halves",
    "partition:majorities-ring",
    "partition:bridge",
    "partition:one-way-one",
    "partition:one-way-leader",
    "packet:loss:20",
    "packet:delay:100",
    "packet:duplicate:20",
    "packet:reorder:20",
    "packet:rate:2000",
    "clock:jump",
    "clock:drift:20",
    "clock:strobe",
    "leadership:move",
    "leadership:reassign",
]
"""In the notation of `python -m nemesis --faults`."""
OF_A_COORDINATOR = ["kill coordinator", "pause coordinator", "partition:isolate-coordinator"]


def survives(cluster: Cluster, drive: Drive, queue: Queue, fault: str) -> None:
    """Runs the workload under the fault; afterwards the replicas must hold the same batches."""
    drive(queue, fault, replicas=3, config={"min.insync.replicas": "2"}, duration_s=LASTS_S, hold_s=HELD_S)

    cluster.wait_healthy()
    require_equal_replicas(cluster, queue.topic, queue.partitions)


@pytest.mark.claim("D1", "D6", "D8", "O1", "O2", "O3", "O4", "O5", "O8", "O10")
@pytest.mark.parametrize("fault", FAULTS)
def test_acknowledged_records_survive(cluster: Cluster, drive: Drive, names: Names, fault: str) -> None:
    queue = Queue(topic=names.topic("orders"), partitions=2, client=ClientSettings(acks="all"))

    survives(cluster, drive, queue, fault)


@pytest.mark.claim("D1", "D6", "D8", "O1", "O2", "O4", "O5", "O8", "O10")
@pytest.mark.parametrize("fault", OF_A_COORDINATOR)
def test_acknowledged_records_survive_the_trouble_of_their_groups_coordinator(
    cluster: Cluster, drive: Drive, names: Names, fault: str
) -> None:
    settings = ClientSettings(acks="all", consumers="subscribe")
    queue = Queue(topic=names.topic("orders"), partitions=2, client=settings)

    survives(cluster, drive, queue, fault)
