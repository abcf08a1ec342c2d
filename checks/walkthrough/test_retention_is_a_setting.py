"""Records are deleted when they are older than the topic's retention.ms.

**Claim** Records older than retention.ms are deleted, and the log start offset moves up; newer records stay. Without a
limit even the oldest records stay.

**Why it matters** Some records are needed for a day, others for a month, and some must be kept forever.

**Kafka says** topic configuration retention.ms, retention.bytes.

**Cannot see** when exactly disk space is freed.

**Rejects** tests/plants/deletes_what_is_kept_for_ever.py
"""

from __future__ import annotations

import pytest

from harness.clients.client import Library
from harness.clients.leader_connections import RawAdmin
from harness.clients.operators.operator import Operator
from harness.clients.transfer import Outgoing, produce, read_partitions
from harness.hosts import cluster_time as time
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.options import ChosenTarget
from harness.targets.target import Cluster

pytestmark = [
    pytest.mark.feature("Retention"),
    pytest.mark.claim("R2", "R3"),
    pytest.mark.document(
        "topic configuration retention.ms", "https://kafka.apache.org/documentation/#topicconfigs_retention.ms"
    ),
    pytest.mark.document(
        "topic configuration retention.bytes", "https://kafka.apache.org/documentation/#topicconfigs_retention.bytes"
    ),
]
WAIT_S = 20.0


def test_retention_is_a_setting(
    target: ChosenTarget, cluster: Cluster, client: Library, admin: RawAdmin, operator: Operator, names: Names
) -> None:
    if not target.kind.is_ours:
        pytest.skip(
            f"{target.name}: the retention check may come every five minutes only on a cluster that is not ours"
        )
    alerts, ledger = names.topic("alerts"), names.topic("ledger")
    operator.create_topic(alerts, config={"retention.ms": "-1"})
    operator.create_topic(ledger, config={"retention.ms": "-1"})
    hour_ago_ms = int(time.time() * 1000) - 3_600_000
    old = [Outgoing(value=b"old %d" % number, partition=0, timestamp=hour_ago_ms) for number in range(20)]
    for topic in (alerts, ledger):
        produce(client, cluster.bootstrap, topic, old)

    operator.alter_topic(alerts, {"retention.ms": "600000"})

    deadline = time.monotonic() + WAIT_S
    while admin.offsets(alerts, 0)[0] < 20 and time.monotonic() < deadline:
        time.sleep(0.1)
    require(admin.offsets(alerts, 0), (20, 20), f"the log {WAIT_S:.0f} s after its limit was set (start, end)")
    produce(client, cluster.bootstrap, alerts, [Outgoing(value=b"new", partition=0)])
    time.sleep(2.5)  # two runs of the retention check
    kept = [(record.offset, record.value) for record in read_partitions(client, cluster.bootstrap, alerts, 1, 1)]
    require(kept, [(20, b"new")], "what is left of the topic with a limit (offset, value)")
    require(admin.offsets(ledger, 0), (0, 20), "the log without a limit (start, end)")
