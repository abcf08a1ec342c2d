"""Acknowledged records survive the death of all nodes at once.

**Claim** On three nodes, a record that was acknowledged with acks=all is in the log exactly once, at the acknowledged
offset, after all nodes were killed at the same moment while records were written; both with flush.messages=1 and with
Kafka's default. When the nodes are back, every partition accepts writes, consumers continue and no record that they
read disappears, the in-sync replicas hold the same batches, and the metadata log breaks no rule of
metadata/metadata_log.

**Why it matters** A failed rack, a bad deployment or an operator's mistake can stop all brokers at once.

**Kafka says** topic configurations flush.messages and min.insync.replicas; Kafka documentation, "Application vs. OS
Flush Management"; KIP-101 (how replicas truncate after a restart).

**Cannot see** a power failure: kill -9 leaves the page cache intact, so records that were not flushed survive here.
After a power failure only flush.messages=1 promises the same; without it, records that no node has flushed are lost.

**Rejects** tests/plants/clusters/test_driven_checks.py::test_a_check_rejects_the_history,
tests/plants/clusters/test_driven_checks.py::test_a_wrong_metadata_log_is_rejected
"""

from __future__ import annotations

import pytest

from checks.durability.test_replication_factors import require_takes_writes
from checks.metadata.test_metadata_log import require_sound
from harness.judging.activity import Needs
from harness.judging.guarantees import ClientSettings
from harness.pytest_plugin.drive import Drive
from harness.pytest_plugin.names import Names
from harness.replicas.collecting import metadata_logs_of, require_equal_replicas
from harness.targets.target import Cluster
from harness.workloads.queue import Queue
from nemesis import every, kill

pytestmark = [
    pytest.mark.cluster(nodes=3),
    pytest.mark.feature("Replication"),
    pytest.mark.severity("blocker"),
    pytest.mark.long,
    pytest.mark.kip(101),
]
LASTS_S = 12.0
HELD_S = 1.0
NEEDED = 300
"""Minimum number of acknowledged records, and of reads."""
FLUSHED = {"min.insync.replicas": "2", "flush.messages": "1"}
NOT_FLUSHED = {"min.insync.replicas": "2"}


@pytest.mark.claim("D1", "D2", "D6", "D8", "D9", "O1", "O2", "O5", "L2", "M4")
@pytest.mark.parametrize("config", [FLUSHED, NOT_FLUSHED], ids=["flushed", "not flushed"])
def test_acknowledged_records_survive_the_death_of_all_nodes(
    cluster: Cluster, drive: Drive, names: Names, config: dict[str, str]
) -> None:
    queue = Queue(
        topic=names.topic("orders"),
        partitions=2,
        client=ClientSettings(acks="all"),
        needs=Needs(acknowledged=NEEDED, reads=NEEDED),
    )

    drive(queue, kill(every), replicas=3, config=config, duration_s=LASTS_S, hold_s=HELD_S)

    cluster.wait_healthy()
    require_takes_writes(cluster, queue)
    require_equal_replicas(cluster, queue.topic, queue.partitions)
    for log in metadata_logs_of(cluster):
        require_sound(log)
