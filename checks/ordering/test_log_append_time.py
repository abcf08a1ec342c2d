"""With LogAppendTime the broker sets the timestamp.

**Claim** Under message.timestamp.type=LogAppendTime the timestamp that a consumer sees is the broker's clock at the
append, the same that the acknowledgement names, never the producer's, and never smaller than an earlier record's.

**Why it matters** Retention and lookups by time depend on clocks that the owner of the cluster controls.

**Kafka says** topic configuration message.timestamp.type; KIP-32.

**Cannot see** a broker's clock that jumps.

**Rejects** tests/plants/ignores_log_append_time.py,
tests/unit/harness/judging/checkers/test_queue_checkers.py::test_a_checker_rejects_its_anomaly
"""

from __future__ import annotations

import time

import pytest

from harness.clients.client import CLIENTS, Library
from harness.clients.cluster_view import RawAdmin
from harness.clients.transfer import Outgoing, produce, read_partitions
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.targets.target import Cluster

pytestmark = [pytest.mark.feature("Produce")]
LONG_AGO_MS = 1_000_000_000_000
CLOCKS_APART_MS = 600_000
"""How far a cluster's clock may be from ours for this check."""


@pytest.mark.claim("O7")
@pytest.mark.parametrize("client", CLIENTS, indirect=True)
def test_log_append_time(cluster: Cluster, client: Library, admin: RawAdmin, names: Names) -> None:
    topic = names.topic("measured")
    # Where the broker's time did not count, retention by the producer's must not take the evidence away.
    admin.create_topic(topic, config={"message.timestamp.type": "LogAppendTime", "retention.ms": "-1"})
    records = [Outgoing(value=b"%d" % n, partition=0, timestamp=LONG_AGO_MS + n) for n in range(50)]

    ends = produce(client, cluster.bootstrap, topic, records)

    seen = [record.timestamp for record in read_partitions(client, cluster.bootstrap, topic, 1, len(records))]
    assert seen == sorted(seen), f"timestamps go back: {seen}"
    assert abs(seen[0] - time.time() * 1000) < CLOCKS_APART_MS, f"{seen[0]} is not the present"
    require([end.timestamp for end in ends], seen, "the time in the acknowledgement, beside the record's,")
