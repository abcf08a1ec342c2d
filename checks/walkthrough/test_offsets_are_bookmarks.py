"""Consumers continue at their group's committed offset, and can seek back to read again.

**Claim** A consumer that rejoins its group continues at the committed offset; one that seeks back reads the same
records again, each time; a new group, or a consumer without a group, reads from the beginning.

**Why it matters** After a bug in a consumer is fixed, it can read the same records again.

**Kafka says** consumer API, `seek`, `commitSync`; consumer configuration auto.offset.reset.

**Cannot see** groups whose offsets have expired.

**Rejects** tests/plants/damages_what_was_read.py, tests/plants/finds_no_committed_offset.py
"""

from __future__ import annotations

import pytest

from harness.clients.client import Library
from harness.clients.operators.operator import Operator
from harness.clients.transfer import Outgoing, produce, read, read_partitions
from harness.judging.guarantees import ClientSettings
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.targets.target import Cluster

pytestmark = [
    pytest.mark.feature("OffsetCommit"),
    pytest.mark.claim("G3", "D8"),
    pytest.mark.document(
        "consumer configuration auto.offset.reset",
        "https://kafka.apache.org/documentation/#consumerconfigs_auto.offset.reset",
    ),
]
ORDERS = [Outgoing(value=f"주문{number}".encode(), partition=0) for number in range(10)]
GROUPED = ClientSettings(consumers="subscribe", commit="sync")


def test_a_group_goes_on_where_it_left_off(cluster: Cluster, client: Library, operator: Operator, names: Names) -> None:
    """A consumer that rejoins its group reads only the records that the group had not read."""
    topic, group = names.topic("orders"), names.group("order-processor")
    operator.create_topic(topic)
    produce(client, cluster.bootstrap, topic, ORDERS)
    values = []
    for more in ([], [Outgoing(value=b"later", partition=0)]):
        if more:
            produce(client, cluster.bootstrap, topic, more)
        consumer = client.consumer(cluster.bootstrap, GROUPED, "processor", group)
        consumer.subscribe([topic], lambda partitions: None)
        values.append([record.value for record in read(consumer, len(more) or len(ORDERS))])
        consumer.commit()
        consumer.close()

    require(values[0], [order.value for order in ORDERS], "what the group was given at first")
    require(values[1], [b"later"], "what the group was given when it came back")
    require(operator.group_offsets(group), {(topic, 0): 11}, "the group's bookmark")


def test_a_consumer_that_seeks_back_reads_the_same_again(
    cluster: Cluster, client: Library, operator: Operator, names: Names
) -> None:
    """After a seek back to an offset the same records are read again from there, and so after a second seek."""
    topic = names.topic("orders")
    operator.create_topic(topic)
    produce(client, cluster.bootstrap, topic, ORDERS)
    consumer = client.consumer(cluster.bootstrap, ClientSettings(), "reader", None)
    try:
        consumer.assign([(topic, 0)])
        first = read(consumer, len(ORDERS))
        again = []
        for _ in range(2):
            consumer.seek(topic, 0, 3)
            again.append(read(consumer, len(ORDERS) - 3))
    finally:
        consumer.close()

    seen = [(record.offset, record.value) for record in first]
    require(seen, [(n, order.value) for n, order in enumerate(ORDERS)], "the first reading (offset, value)")
    require(again, [first[3:]] * 2, "the two readings from offset 3 on")


def test_everybody_who_reads_from_the_beginning_reads_all(
    cluster: Cluster, client: Library, operator: Operator, names: Names
) -> None:
    """Reading does not remove records: two consumers in turn, and a new group, read the same."""
    topic = names.topic("orders")
    operator.create_topic(topic)
    produce(client, cluster.bootstrap, topic, ORDERS)

    readings = [read_partitions(client, cluster.bootstrap, topic, 1, len(ORDERS)) for _ in range(2)]
    member = client.consumer(cluster.bootstrap, GROUPED, "newcomer", names.group("newcomers"))
    member.subscribe([topic], lambda partitions: None)
    readings.append(read(member, len(ORDERS)))
    member.close()

    values = [[record.value for record in reading] for reading in readings]
    require(values, [[order.value for order in ORDERS]] * len(readings), "what each reader found, in turn,")
