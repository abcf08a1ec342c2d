"""Committed offsets survive.

**Claim** After the broker is killed or restarted, a group's committed offset in every partition is still the last one
that it committed, and a new member continues from there.

**Why it matters** If a committed offset is lost, the group processes records again, or skips some.

**Kafka says** consumer API, `commitSync` and `committed`; broker configuration offsets.topic.replication.factor:
offsets are records of the topic __consumer_offsets.

**Cannot see** expired offsets; coordinators that move to another broker (groups/coordinators_fail_over).

**Rejects** tests/plants/forgets_committed_offsets.py, tests/plants/returns_an_older_offset_after_restart.py
"""

from __future__ import annotations

import pytest

from harness.clients.client import Library
from harness.clients.operators.operator import Operator
from harness.clients.transfer import Outgoing, produce, read, read_all
from harness.judging.guarantees import ClientSettings
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.pytest_plugin.strike import Strike
from harness.targets.target import Cluster

pytestmark = [
    pytest.mark.feature("OffsetCommit"),
    pytest.mark.severity("critical"),
    pytest.mark.document(
        "broker configuration offsets.topic.replication.factor",
        "https://kafka.apache.org/documentation/#brokerconfigs_offsets.topic.replication.factor",
    ),
]
SETTINGS = ClientSettings(consumers="subscribe", commit="sync")
RECORDS = [Outgoing(value=f"order {number}".encode(), partition=number % 2) for number in range(40)]


@pytest.mark.claim("G3")
@pytest.mark.parametrize("fault", ["kill", "restart"])
@pytest.mark.parametrize("client", ["confluent", "kafka_python", "aiokafka", "raw"], indirect=True)
def test_committed_offsets_survive(
    cluster: Cluster, client: Library, operator: Operator, names: Names, strike: Strike, fault: str
) -> None:
    topic, group = names.topic("orders"), names.group("workers")
    operator.create_topic(topic, partitions=2)
    first = client.consumer(cluster.bootstrap, SETTINGS, f"{group}-first", group)
    first.subscribe([topic], lambda partitions: None)
    for part in (RECORDS[:20], RECORDS[20:]):  # two commits, so that an older one could come back
        produce(client, cluster.bootstrap, topic, part)
        read_all(first, len(part), "the first member")
        first.commit()
    first.close()
    committed = {(topic, 0): 20, (topic, 1): 20}
    require(operator.group_offsets(group), committed, f"what the group is told before the {fault}")

    strike(fault, group=group)

    require(operator.group_offsets(group), committed, f"what the group is told after the {fault}")
    more = [Outgoing(value=b"more %d" % partition, partition=partition) for partition in (0, 1)]
    produce(client, cluster.bootstrap, topic, more)
    second = client.consumer(cluster.bootstrap, SETTINGS, f"{group}-second", group)
    try:
        second.subscribe([topic], lambda partitions: None)
        found = read(second, len(more))
    finally:
        second.close()
    given = sorted((record.partition, record.offset, record.value) for record in found)
    expected = [(0, 20, b"more 0"), (1, 20, b"more 1")]
    require(given, expected, "what the next member is given (partition, offset, value)")
