"""What was acknowledged survives although disks are slow, also when all nodes then lose their power.

**Claim** On three nodes whose flushes take 20 to 300 ms: (1) a record that was acknowledged with acks=all is in the log
at the end of the run, exactly once and at the acknowledged offset, while the disks of the controller, or of all nodes,
are slow; (2) a topic whose creation was acknowledged exists on every node, with one id, after all nodes have lost their
power at once, right after the acknowledgement.

**Why it matters** Disks are slow when they are shared, worn or about to fail. What is answered before it is on the disk
is found out only then.

**Kafka says** KIP-595 (a voter's log end counts when it is flushed); KIP-631; Kafka documentation, "Replication".

**Cannot see** disks so slow that sessions end; slow reads.

**Rejects** tests/plants/test_simulated_plants.py::test_another_bug_in_a_simulated_cluster_is_rejected,
tests/plants/power/counts_metadata_that_is_not_flushed.py
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from harness.clients.node_admin import NodeAdmin
from harness.clients.node_client import until
from harness.judging.guarantees import ClientSettings
from harness.judging.outcome import require
from harness.pytest_plugin.drive import Drive
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.record import CheckRecord
from harness.replicas.collecting import require_equal_replicas
from harness.targets.target import Cluster, Node
from harness.workloads.queue import Queue
from nemesis import controller, every, power, slow_disk
from nemesis.fault import Fault
from nemesis.node_specs import NodeSpec
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import Uuid

pytestmark = [
    pytest.mark.cluster(nodes=3, has_faulty_disks=True),
    pytest.mark.feature("Replication"),
    pytest.mark.severity("blocker"),
    pytest.mark.kip(595, 631),
]
LASTS_S = 16.0
HELD_S = 8.0
TOPICS = 3
KNOWN_WITHIN_S = 30.0


@pytest.mark.claim("D1", "D6", "D8", "O1", "O2", "O3", "O4", "O5")
@pytest.mark.parametrize("on", [controller, every], ids=str)
def test_acknowledged_records_survive_slow_disks(cluster: Cluster, drive: Drive, names: Names, on: NodeSpec) -> None:
    queue = Queue(topic=names.topic("orders"), partitions=2, client=ClientSettings(acks="all"))

    drive(queue, slow_disk(on), replicas=3, config={"min.insync.replicas": "2"}, duration_s=LASTS_S, hold_s=HELD_S)

    cluster.wait_healthy()
    require_equal_replicas(cluster, queue.topic, queue.partitions)


@pytest.mark.claim("M7", "M1")
def test_a_topic_whose_creation_was_acknowledged_survives_a_loss_of_power(
    require_fault: Callable[[str], None], cluster: Cluster, names: Names, record: CheckRecord, chance: Random
) -> None:
    for kind in (slow_disk.kind, power.kind):
        require_fault(kind)
    for number in range(TOPICS):
        slow, off = slow_disk(every), power(every)
        inject(cluster, record, chance, slow)
        topic = names.topic(f"orders-{number}")
        with NodeAdmin(cluster.nodes[number % 3].address) as client:
            require(client.create_topic(topic, 3, 3), ErrorCode.NONE, "the answer to the creation of a topic")
        inject(cluster, record, chance, off)
        for fault in (slow, off):  # with slow disks, a quorum that begins anew may take minutes to elect a leader
            fault.heal(cluster)
        for fault in (slow, off):
            fault.verify_healed(cluster)
        cluster.wait_healthy()
        ids = {node.id: id_of(node, topic) for node in cluster.nodes}
        require(len(set(ids.values())), 1, f"the number of ids that the nodes tell of {topic}")


def id_of(node: Node, topic: str) -> Uuid:
    """The id of a topic as a node tells it; waits until the node knows the topic."""
    with NodeAdmin(node.address) as client:
        until(
            lambda: client.topic(topic).error_code == ErrorCode.NONE,
            KNOWN_WITHIN_S,
            f"node {node.id} knows {topic}, whose creation was acknowledged",
        )
        found: Uuid = client.topic(topic).topic_id
        return found


def inject(cluster: Cluster, record: CheckRecord, chance: Random, fault: Fault) -> None:
    with record.step(str(fault)):
        record.faults += 1
        fault.inject(cluster, fault.plan(cluster.view(topics=()), chance))
