"""Acknowledged offsets are the records' offsets in the log, and they leave no gap.

**Claim** In a partition without transactions and compaction the offsets are 0, 1, 2, … without a gap; the offset in an
acknowledgement is the one at which consumers find the record; the log end offset is one more than the last of them.

**Why it matters** Systems store the acknowledged offset beside their own data and look the record up by it.

**Kafka says** producer API, `RecordMetadata.offset`; protocol, Produce response `base_offset`.

**Cannot see** anything under faults: see the checks of durability.

**Rejects** tests/plants/wrong_offset_in_answer.py
"""

from __future__ import annotations

from random import Random

import pytest

from harness.clients.client import CLIENTS, Library
from harness.clients.leader_connections import RawAdmin
from harness.clients.transfer import Outgoing, produce, read_partitions
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.targets.target import Cluster

pytestmark = [
    pytest.mark.feature("Produce"),
    pytest.mark.severity("critical"),
    pytest.mark.document("Protocol guide", "https://kafka.apache.org/protocol.html"),
]
COUNT = 600
PARTITIONS = 3


@pytest.mark.claim("O2")
@pytest.mark.parametrize("client", CLIENTS, indirect=True)
def test_acknowledged_offsets(cluster: Cluster, client: Library, admin: RawAdmin, names: Names, chance: Random) -> None:
    topic = names.topic("events")
    admin.create_topic(topic, PARTITIONS)
    records = [Outgoing(value=b"%d" % n, partition=chance.randrange(PARTITIONS)) for n in range(COUNT)]

    ends = produce(client, cluster.bootstrap, topic, records)

    acknowledged = {(end.partition, end.offset): record.value for end, record in zip(ends, records, strict=True)}
    found = read_partitions(client, cluster.bootstrap, topic, PARTITIONS, COUNT)
    seen = {(record.partition, record.offset): record.value for record in found}
    require(seen, acknowledged, "what stands at the acknowledged (partition, offset)")
    for partition in range(PARTITIONS):
        offsets = sorted(offset for where, offset in acknowledged if where == partition)
        assert offsets == list(range(len(offsets))), f"partition {partition} has gaps, or an offset twice"
        require(admin.offsets(topic, partition), (0, len(offsets)), f"start and end of partition {partition}")
