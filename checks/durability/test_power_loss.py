"""Replicated records survive the loss of one node's power, and those that were flushed that of all nodes at once.

**Claim** On three nodes with min.insync.replicas=2, a record that was acknowledged with acks=all is in the log at the
end of the run, exactly once and at the acknowledged offset, (1) even if the leader, or the active controller, loses its
power while records are written; (2) with flush.messages=1, even if all nodes lose their power at the same moment. Of
what a disk had not flushed nothing is left, or a torn part. Consumers never skip a record, go back, or see a record
disappear. Afterwards the in-sync replicas hold the same batches.

**Why it matters** Kafka does not flush before it acknowledges. It relies on the other replicas, and on a broker that
comes back without a clean stop not being trusted with what it had. Where all machines may lose power together, only
flush.messages=1 helps.

**Kafka says** KIP-966 (a broker that did not stop cleanly leaves the in-sync and the eligible replicas); Kafka
documentation, "Application vs. OS Flush Management"; topic configurations min.insync.replicas and flush.messages.

**Cannot see** What is left without flush.messages=1 after several nodes have lost their power: nothing is promised
(`python -m nemesis --target simulated --faults power --on all` counts what is lost then). A topic younger than the
time after which a broker writes its checkpoints (5 s): Kafka does not flush the name of a new log folder, and the
checkpoints' fsync is the first that does.

**Rejects** tests/plants/test_simulated_plants.py::test_another_bug_in_a_simulated_cluster_is_rejected,
tests/plants/power/acknowledges_what_is_not_flushed.py
"""

from __future__ import annotations

import pytest

from harness.judging.guarantees import ClientSettings
from harness.pytest_plugin.drive import Drive
from harness.pytest_plugin.names import Names
from harness.replicas.collecting import require_equal_replicas
from harness.targets.target import Cluster
from harness.workloads.queue import Queue
from nemesis import controller, every, leader, power
from nemesis.node_specs import NodeSpec

pytestmark = [
    pytest.mark.cluster(nodes=3, has_faulty_disks=True),
    pytest.mark.feature("Replication"),
    pytest.mark.severity("blocker"),
    pytest.mark.kip(966),
    pytest.mark.document(
        "topic configuration min.insync.replicas",
        "https://kafka.apache.org/documentation/#topicconfigs_min.insync.replicas",
    ),
    pytest.mark.document(
        "topic configuration flush.messages",
        "https://kafka.apache.org/documentation/#topicconfigs_flush.messages",
    ),
]
LASTS_S = 16.0
HELD_S = 6.0
"""Twice broker.session.timeout.ms of clusters that the harness starts: another replica leads before the heal."""


@pytest.mark.claim("D1", "D6", "D8", "O1", "O2", "O3", "O4", "O5")
@pytest.mark.parametrize("on", [leader, controller], ids=str)
def test_acknowledged_records_survive_a_loss_of_power(
    cluster: Cluster, drive: Drive, names: Names, on: NodeSpec
) -> None:
    queue = Queue(topic=names.topic("orders"), partitions=2, client=ClientSettings(acks="all"))

    drive(queue, power(on), replicas=3, config={"min.insync.replicas": "2"}, duration_s=LASTS_S, hold_s=HELD_S)

    cluster.wait_healthy()
    require_equal_replicas(cluster, queue.topic, queue.partitions)


@pytest.mark.claim("D1", "D2", "D6", "D8", "O1", "O2", "O5")
def test_flushed_records_survive_a_loss_of_power_of_all_nodes(cluster: Cluster, drive: Drive, names: Names) -> None:
    queue = Queue(topic=names.topic("orders"), partitions=2, client=ClientSettings(acks="all"))
    flushed = {"min.insync.replicas": "2", "flush.messages": "1"}

    drive(queue, power(every), replicas=3, config=flushed, duration_s=LASTS_S, hold_s=HELD_S)

    cluster.wait_healthy()
    require_equal_replicas(cluster, queue.topic, queue.partitions)
