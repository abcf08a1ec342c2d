"""Replicated records survive the loss of nodes.

**Claim** On three nodes, a record that was acknowledged with acks=all is in the log at the end of the run, exactly
once, at the acknowledged offset, with the bytes that were sent, and in its producer's order, even if the leader is
killed, paused, restarted or cut off from the others, the active controller is killed, or all nodes restart in turn.
Consumers never skip a record, go back, or see a record disappear. Producers and consumers continue after every fault.
Afterwards all replicas are in sync and hold the same batches. With acks=1 the loss of a leader may lose records at the
end of its log, and none before that.

**Why it matters** This is what replication is for.

**Kafka says** producer configuration acks; topic configuration min.insync.replicas; Kafka documentation, "Replication";
KIP-101 and KIP-320 (truncation), KIP-966 (what may be lost).

**Cannot see** loss of power; faults of several nodes at once (durability/sequences_of_faults).

**Rejects** tests/unit/harness/judging/checkers/test_queue_checkers.py::test_a_checker_rejects_its_anomaly,
tests/plants/clusters/test_cluster_checks.py::test_a_check_rejects_the_bug
"""

from __future__ import annotations

import pytest

from harness.judging.activity import Needs
from harness.judging.checkers.no_recovery import stalled_producers
from harness.judging.guarantees import ClientSettings
from harness.judging.outcome import require
from harness.pytest_plugin.drive import Drive, Driven
from harness.pytest_plugin.names import Names
from harness.replicas.collecting import require_equal_replicas
from harness.targets.target import Cluster
from harness.workloads.queue import Queue
from nemesis import controller, isolate_leader, kill, leader, partition, pause, restart, roll
from nemesis.fault import Fault

pytestmark = [
    pytest.mark.cluster(nodes=3),
    pytest.mark.feature("Replication"),
    pytest.mark.severity("blocker"),
    pytest.mark.kip(101, 320, 966),
    pytest.mark.document("producer configuration acks", "https://kafka.apache.org/documentation/#producerconfigs_acks"),
    pytest.mark.document(
        "topic configuration min.insync.replicas",
        "https://kafka.apache.org/documentation/#topicconfigs_min.insync.replicas",
    ),
    pytest.mark.document("Kafka documentation, Replication", "https://kafka.apache.org/documentation/"),
]
LASTS_S = 22.0
HELD_S = 12.0
"""Long enough for another replica to become leader before the heal, even if the old leader was also the active
controller: the other nodes elect a new controller after 2 s (controller.quorum.fetch.timeout.ms), and there the old
leader's session of 3 s starts anew (broker.session.timeout.ms of clusters that the harness starts)."""
MOVES_A_LEADER = [kill(leader), pause(leader), restart(leader), partition(isolate_leader)]
FAULTS = [
    None,
    *MOVES_A_LEADER,
    kill(controller),
    roll(),
]


def named(fault: Fault | None) -> str:
    """A fault's part of the check's name."""
    return "no fault" if fault is None else str(fault)


def require_producers_went_on(driven: Driven) -> None:
    """Raises BrokenPromise unless every producer had a record acknowledged that it sent after the last heal."""
    stalled = stalled_producers(driven.history)
    require(stalled, [], "the producers of which nothing was acknowledged after the heal", claim="L2")


@pytest.mark.claim("D1", "D6", "D8", "O1", "O2", "O3", "O4", "O5", "O8", "O10", "L2")
@pytest.mark.parametrize("fault", FAULTS, ids=named)
def test_records_acknowledged_by_all_replicas_survive(
    cluster: Cluster, drive: Drive, names: Names, fault: Fault | None
) -> None:
    needs = Needs(leader_changes=int(fault in MOVES_A_LEADER))
    queue = Queue(topic=names.topic("orders"), partitions=2, client=ClientSettings(acks="all"), needs=needs)

    driven = drive(queue, fault, replicas=3, config={"min.insync.replicas": "2"}, duration_s=LASTS_S, hold_s=HELD_S)

    require_producers_went_on(driven)
    cluster.wait_healthy()
    require_equal_replicas(cluster, queue.topic, queue.partitions)


@pytest.mark.claim("D12", "D6", "O1", "O8", "L2")
@pytest.mark.parametrize("fault", [kill(leader), partition(isolate_leader)], ids=named)
def test_records_acknowledged_by_the_leader_alone_are_lost_with_it_only(
    cluster: Cluster, drive: Drive, names: Names, fault: Fault
) -> None:
    settings = ClientSettings(acks="1", is_idempotent=False)
    needs = Needs(leader_changes=1)
    queue = Queue(topic=names.topic("orders"), partitions=2, client=settings, needs=needs)

    driven = drive(queue, fault, replicas=3, config={"min.insync.replicas": "1"}, duration_s=LASTS_S, hold_s=HELD_S)

    require_producers_went_on(driven)
    cluster.wait_healthy()
    require_equal_replicas(cluster, queue.topic, queue.partitions)
