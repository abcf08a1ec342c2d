"""Acknowledged records survive the death of all nodes at once.

**Claim** On three nodes, a record that was acknowledged by all in-sync replicas is in the log afterwards, once, at the
offset that was acknowledged, although all nodes are killed at the same moment while records are written, with
flush.messages=1 as with Kafka's defaults. When the nodes are back each partition takes writes, consumers go on and see
no record go away, the in-sync replicas hold the same batches, and the metadata log contains nothing that is forbidden.

**Why it matters** A broken rack, a wrong deployment or an operator ends all brokers at once.

**Kafka says** topic configurations flush.messages and min.insync.replicas; Kafka documentation, "Application vs. OS
Flush Management"; KIP-101 (what replicas do when they come back).

**Cannot see** a loss of power: kill -9 leaves the page cache, so what had not reached the disk survives here. With a
loss of power flush.messages=1 alone promises the same; without it, records that no node has flushed are lost.

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
"""Acknowledged records."""
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
