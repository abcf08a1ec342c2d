"""With LogAppendTime the broker sets the timestamp.

**Claim** With message.timestamp.type=LogAppendTime, the timestamp that a consumer sees is the time of the append. It
equals the timestamp in the acknowledgement, is never the producer's, and is never smaller than that of an earlier
record.

**Why it matters** Retention and lookups by time depend on clocks that the owner of the cluster controls.

**Kafka says** topic configuration message.timestamp.type; KIP-32.

**Cannot see** a broker's clock that jumps. On a cluster that the harness did not start: a clock that is wrong by less
than ten minutes.

**Rejects** tests/plants/ignores_log_append_time.py
"""

from __future__ import annotations

import pytest

from harness.clients.client import CLIENTS, Library
from harness.clients.leader_connections import RawAdmin
from harness.clients.transfer import Outgoing, produce, read_partitions
from harness.hosts import cluster_time as time
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.options import ChosenTarget
from harness.targets.target import Cluster

pytestmark = [
    pytest.mark.feature("Produce"),
    pytest.mark.kip(32),
    pytest.mark.document(
        "topic configuration message.timestamp.type",
        "https://kafka.apache.org/documentation/#topicconfigs_message.timestamp.type",
    ),
]
LONG_AGO_MS = 1_000_000_000_000
APART_MS, FAR_APART_MS = 2_000, 600_000
"""How much the cluster's clock may differ from this machine's, on a cluster that the harness started and on any
other."""


@pytest.mark.claim("O7")
@pytest.mark.parametrize("client", CLIENTS, indirect=True)
def test_log_append_time(
    target: ChosenTarget, cluster: Cluster, client: Library, admin: RawAdmin, names: Names
) -> None:
    topic = names.topic("measured")
    # If the broker kept the producer's old timestamps, retention must not delete the records that prove it.
    admin.create_topic(topic, config={"message.timestamp.type": "LogAppendTime", "retention.ms": "-1"})
    records = [Outgoing(value=b"%d" % n, partition=0, timestamp=LONG_AGO_MS + n) for n in range(50)]

    before_ms = time.time() * 1000
    ends = produce(client, cluster.bootstrap, topic, records)
    after_ms = time.time() * 1000

    seen = [record.timestamp for record in read_partitions(client, cluster.bootstrap, topic, 1, len(records))]
    require(len(seen), len(records), "the number of records that came back")
    assert seen == sorted(seen), f"timestamps go back: {seen}"
    apart_ms = APART_MS if target.kind.is_ours else FAR_APART_MS
    for at in seen:
        assert before_ms - apart_ms < at < after_ms + apart_ms, f"{at} is not the time of the append"
    require([end.timestamp for end in ends], seen, "the time in the acknowledgement, beside the record's,")
