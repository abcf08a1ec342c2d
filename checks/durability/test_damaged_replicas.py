"""A replica whose copy was damaged while it was down gets the records again from the others.

**Claim** On three nodes with min.insync.replicas=2, a bit is flipped in the log of one replica, or the log's end is cut
off, while its broker is down after a kill. When the broker is back, every record that was acknowledged with acks=all is
in the log, once and at the acknowledged offset, consumers see none of them disappear, and the in-sync replicas hold the
same batches.

**Why it matters** One bad disk of several must not cost records that the other replicas have, nor may what is on it be
served when its broker leads again.

**Kafka says** Kafka documentation, "Replication" and "Log"; topic configuration min.insync.replicas; KIP-966 (a broker
that did not stop cleanly is not trusted with what it had).

**Cannot see** Damage after a stop in order: nobody reads the log before it is served (durability/damaged_files). Damage
of as many copies as there are.

**Rejects** tests/plants/believes_a_torn_tail.py
"""

from __future__ import annotations

import pytest

from harness.judging.guarantees import ClientSettings
from harness.pytest_plugin.drive import Drive
from harness.pytest_plugin.names import Names
from harness.replicas.collecting import require_equal_replicas
from harness.targets.target import Cluster
from harness.workloads.queue import Queue
from nemesis import Damaged, How, damage, leader

pytestmark = [
    pytest.mark.cluster(nodes=3),
    pytest.mark.feature("Replication"),
    pytest.mark.severity("blocker"),
    pytest.mark.kip(966),
    pytest.mark.document(
        "topic configuration min.insync.replicas",
        "https://kafka.apache.org/documentation/#topicconfigs_min.insync.replicas",
    ),
]
LASTS_S = 12.0
HELD_S = 5.0


@pytest.mark.claim("D1", "D6", "D8", "D9", "D11", "O1", "O2", "O5")
@pytest.mark.parametrize("how", [How.FLIP, pytest.param(How.CUT, marks=pytest.mark.long)], ids=str)
def test_a_damaged_replica_is_copied_again(cluster: Cluster, drive: Drive, names: Names, how: How) -> None:
    queue = Queue(topic=names.topic("orders"), partitions=1, client=ClientSettings(acks="all"))
    fault = damage(leader, Damaged.SEGMENT, how, topic=queue.topic)

    drive(queue, fault, replicas=3, config={"min.insync.replicas": "2"}, duration_s=LASTS_S, hold_s=HELD_S)

    cluster.wait_healthy()
    require_equal_replicas(cluster, queue.topic, queue.partitions)
