"""Records survive sequences of faults in orders that random faults seldom produce.

**Claim** On three nodes with min.insync.replicas=2, a record that was acknowledged with acks=all is in the log at the
end of the run, exactly once and in its producer's order, in each of these cases: (1) a minority is paused or cut off,
another node is killed, and both come back together while the rest is cut off; (2) the leader is cut off from the other
nodes until another one leads, while its clients reach all nodes or only the old leader; (3) all nodes restart in turn,
always the active controller next. Afterwards the in-sync replicas hold the same batches.

**Why it matters** Each step is harmless alone. Together they test whether nodes that were paused, cut off or killed can
take over although they have fewer records than the nodes that are now cut off.

**Kafka says** KIP-101 and KIP-320 (truncation), KIP-966 (who may lead), KIP-595 (the quorum); Kafka documentation,
"Replication". The sequences are those with which other distributed logs are tested: see nemesis/sequences.py.

**Cannot see** loss of power; clusters of five nodes, in which two nodes of a majority may lack records.

**Rejects** tests/plants/clusters/test_sequence_checks.py::test_a_check_rejects_what_a_sequence_brings_out
"""

from __future__ import annotations

import pytest

from harness.judging.activity import Needs
from harness.judging.guarantees import ClientSettings
from harness.pytest_plugin.drive import Drive
from harness.pytest_plugin.names import Names
from harness.replicas.collecting import require_equal_replicas
from harness.targets.target import Cluster
from harness.workloads.queue import Queue
from nemesis.sequences import (
    FaultSequence,
    lone_leader,
    lone_leader_with_clients,
    moving_controller,
    part_kill,
    pause_kill,
)

pytestmark = [
    pytest.mark.cluster(nodes=3),
    pytest.mark.feature("Replication"),
    pytest.mark.severity("blocker"),
    pytest.mark.long,
    pytest.mark.kip(101, 320, 595, 966),
    pytest.mark.document("Kafka documentation, Replication", "https://kafka.apache.org/documentation/"),
]
SAFE = {"min.insync.replicas": "2"}


def driven(cluster: Cluster, drive: Drive, names: Names, sequence: FaultSequence, needs: Needs) -> None:
    """Runs the workload with acks=all under the sequence; afterwards the replicas must hold the same batches."""
    queue = Queue(topic=names.topic("orders"), partitions=2, client=ClientSettings(acks="all"), needs=needs)

    drive(queue, sequence=sequence, replicas=3, config=SAFE)

    cluster.wait_healthy()
    require_equal_replicas(cluster, queue.topic, queue.partitions)


@pytest.mark.claim("D1", "D5", "D6", "D8", "O1", "O2", "O3", "O4", "O5")
@pytest.mark.parametrize("sequence", [pause_kill, part_kill], ids=str)
def test_a_majority_of_those_that_were_away_undoes_no_acknowledgement(
    cluster: Cluster, drive: Drive, names: Names, sequence: FaultSequence
) -> None:
    driven(cluster, drive, names, sequence, Needs())


@pytest.mark.claim("D1", "D5", "D6", "D8", "O1", "O2", "O3", "O4", "O5")
@pytest.mark.parametrize("sequence", [lone_leader, lone_leader_with_clients], ids=str)
def test_what_a_leader_acknowledged_before_it_was_alone_stays(
    cluster: Cluster, drive: Drive, names: Names, sequence: FaultSequence
) -> None:
    driven(cluster, drive, names, sequence, Needs(leader_changes=1))


@pytest.mark.claim("D1", "D6", "D8", "M1", "O1", "O2", "O3", "O4", "O5")
def test_records_stay_while_the_controller_moves_with_every_restart(
    cluster: Cluster, drive: Drive, names: Names
) -> None:
    driven(cluster, drive, names, moving_controller, Needs(leader_changes=1))
