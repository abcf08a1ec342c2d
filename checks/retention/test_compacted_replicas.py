"""Every replica of a compacted log has the last value of each key.

**Claim** On three nodes, each of which compacts its own copy: while leaders are killed and others take over, and after
a node has lost its disk and copied the log again, every reading has the last value of each key, in order and as it was
written; and each leader compacts what is dirty.

**Why it matters** Replicas of a compacted log hold different batches: whoever leads next must still have what counts.

**Kafka says** documentation, "Log Compaction" and "Replication".

**Cannot see** which replica a record is missing on while it does not lead.

**Rejects** tests/plants/brokers/takes_tombstones_for_empty_values.py
"""

from __future__ import annotations

from random import Random

import pytest

from checks.retention.keyed_log import OFTEN, keyed_log
from harness.clients.client import Library
from harness.clients.leader_connections import RawAdmin
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.strike import Strike
from harness.targets.target import Cluster

pytestmark = [
    pytest.mark.cluster(nodes=3, config=OFTEN),
    pytest.mark.feature("Compaction"),
    pytest.mark.severity("critical"),
    pytest.mark.document("Kafka documentation, Log Compaction", "https://kafka.apache.org/documentation/#compaction"),
]


@pytest.mark.claim("R5", "R6", "D6")
@pytest.mark.parametrize("fault", ["kill", "membership"])
def test_whoever_leads_has_the_last_value_of_each_key(
    cluster: Cluster, client: Library, admin: RawAdmin, names: Names, chance: Random, strike: Strike, fault: str
) -> None:
    config = {"min_insync_replicas": "2"}
    with keyed_log(cluster.bootstrap, client, admin, names.topic("table"), chance, replicas=3, **config) as log:
        for _ in range(2):
            log.write_generation(30)
            log.read()
            log.write_generation(30)
            log.await_compacted()
            strike(fault, topic=log.topic)
            log.read()
        log.write_generation(30)
        log.await_compacted()
