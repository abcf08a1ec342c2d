"""One of three replicas has a full disk, and the others keep working.

**Claim** When the disk of one of a leader's log folders fills up while producers write, the folder is taken offline and
reported as offline, the broker keeps running, and another replica becomes leader. Once the disk has free space and the
broker has been restarted, every record that was acknowledged with acks=all is in the log, exactly once and in its
producer's order; all replicas are in sync and hold the same batches.

**Why it matters** Disks fill up one at a time. Replication exists so that clients do not notice.

**Kafka says** KIP-112 and KIP-858: a log folder with an IO error is offline until the broker starts again, and the
controller elects other leaders for the partitions in it.

**Cannot see** disks that fail in other ways (durability/lost_folder_of_one_replica); the loss of a folder's contents.

**Rejects** tests/plants/clusters/test_folder_checks.py::test_a_check_rejects_what_a_failed_folder_brings_out
"""

from __future__ import annotations

from random import Random

import pytest

from checks.durability.test_full_disks import WatchedDisk, WatchedFullDisk, require_others_go_on
from harness.judging.activity import Needs
from harness.judging.guarantees import ClientSettings
from harness.pytest_plugin.drive import Drive
from harness.pytest_plugin.names import Names
from harness.replicas.collecting import require_equal_replicas
from harness.targets.cluster_view import ClusterView
from harness.targets.target import Cluster
from harness.workloads.queue import Queue
from nemesis.node_specs import Chosen, NodeSpec, NoSuchNode

pytestmark = [
    pytest.mark.cluster(nodes=3, small_disk_mb=32),
    pytest.mark.feature("Replication"),
    pytest.mark.severity("critical"),
    pytest.mark.kip(112, 858),
]
LASTS_S = 16.0
HELD_S = 6.0
"""Long enough for another replica to become leader before the fault is healed."""


def leader_on_a_small_disk(cluster: Cluster) -> NodeSpec:
    """Chooses a node that leads a partition whose log is on the node's small disk."""

    def choose(view: ClusterView, chance: Random) -> Chosen:
        disks = {node.id: node.small_disk for node in cluster.nodes}
        fitting = [
            (topic, partition, node)
            for (topic, partition), node in sorted(view.leaders.items())
            if (disk := disks[node]) is not None and (disk.data_dir / f"{topic}-{partition}").is_dir()
        ]
        if not fitting:
            raise NoSuchNode("no leader has its partition on its small disk")
        topic, partition, node = chance.choice(fitting)
        return Chosen((node,), f"leader of {topic}-{partition}, which is on its small disk")

    return NodeSpec("leader on its small disk", choose, 3)


def require_records_survive(cluster: Cluster, drive: Drive, fault: WatchedDisk, lasts_s: float) -> None:
    """Runs the workload while the fault acts on a leader; afterwards the replicas must hold the same batches."""
    needs = Needs(leader_changes=1)
    queue = Queue(topic=fault.topic, partitions=6, client=ClientSettings(acks="all"), needs=needs)

    drive(queue, fault, replicas=3, config={"min.insync.replicas": "2"}, duration_s=lasts_s, hold_s=HELD_S)

    require_others_go_on(fault)
    cluster.wait_healthy()
    require_equal_replicas(cluster, queue.topic, queue.partitions)


@pytest.mark.claim("D1", "D6", "D8", "D10", "O1", "O2", "O3", "O4", "O5")
def test_acknowledged_records_survive_a_full_disk_of_their_leader(cluster: Cluster, drive: Drive, names: Names) -> None:
    fault = WatchedFullDisk(names.topic("orders"), leader_on_a_small_disk(cluster))

    require_records_survive(cluster, drive, fault, LASTS_S)
