"""A group's lag is the number of records that it has not committed yet.

**Claim** After 100 records were sent and 70 were read and committed, the group's lag is 30; after the rest was read and
committed, it is 0.

**Why it matters** Lag is the first number to look at to see whether consumers keep up.

**Kafka says** documentation, "Managing Consumer Groups"; kafka-consumer-groups.sh --describe.

**Cannot see** lag while transactions are open.

**Rejects** tests/plants/commits_one_too_far.py
"""

from __future__ import annotations

import pytest

from harness.clients.client import Library
from harness.clients.leader_connections import RawAdmin
from harness.clients.operators.operator import Operator
from harness.clients.transfer import Outgoing, produce, read_all
from harness.judging.guarantees import ClientSettings
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.targets.target import Cluster

pytestmark = [
    pytest.mark.feature("OffsetFetch"),
    pytest.mark.claim("G3"),
    pytest.mark.document("Kafka documentation, Managing Consumer Groups", "https://kafka.apache.org/documentation/"),
]
GROUPED = ClientSettings(consumers="subscribe", commit="sync")


def test_lag_is_described(cluster: Cluster, client: Library, admin: RawAdmin, operator: Operator, names: Names) -> None:
    topic, group = names.topic("orders"), names.group("my-group")
    operator.create_topic(topic)

    def lag() -> int:
        return admin.offsets(topic, 0)[1] - operator.group_offsets(group)[topic, 0]

    orders = [Outgoing(value=b"%d" % number, partition=0) for number in range(100)]
    consumer = client.consumer(cluster.bootstrap, GROUPED, "kitchen", group)
    try:
        consumer.subscribe([topic], lambda partitions: None)
        produce(client, cluster.bootstrap, topic, orders[:70])
        read_all(consumer, 70, "the group")
        consumer.commit()
        produce(client, cluster.bootstrap, topic, orders[70:])
        require(lag(), 30, "the lag with 30 records to read")
        read_all(consumer, 30, "the group, then,")
        consumer.commit()
        require(lag(), 0, "the lag with nothing to read")
    finally:
        consumer.close()
