"""Records with the same key are in one partition; records without a key use all partitions.

**Claim** All records with one user's key are in one partition, in the order in which they were sent; records without a
key use all partitions.

**Why it matters** Records that need an order have one, and the others can be processed in parallel.

**Kafka says** documentation, "Main Concepts and Terminology"; producer configuration partitioner.class.

**Cannot see** how even the spread is: clients send batches, each to one partition.

**Rejects** tests/plants/appends_to_the_first_partition.py, tests/plants/drops_keys.py,
tests/plants/turns_batches_round.py
"""

from __future__ import annotations

import pytest

from harness.clients.client import Library
from harness.clients.operators.operator import Operator
from harness.clients.transfer import Outgoing, produce, read_partitions, send_all
from harness.hosts import cluster_time as time
from harness.judging.guarantees import ClientSettings
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.targets.target import Cluster

pytestmark = [
    pytest.mark.feature("Produce"),
    pytest.mark.claim("O9", "O4"),
    pytest.mark.document(
        "producer configuration partitioner.class",
        "https://kafka.apache.org/documentation/#producerconfigs_partitioner.class",
    ),
    pytest.mark.document(
        "Kafka documentation, Main Concepts and Terminology", "https://kafka.apache.org/documentation/"
    ),
]
PARTITIONS = 3


def test_what_one_user_does_is_in_one_partition_in_order(
    cluster: Cluster, client: Library, operator: Operator, names: Names
) -> None:
    """All records with one user's key are in one partition, in the order in which they were sent."""
    topic = names.topic("activity")
    operator.create_topic(topic, PARTITIONS)
    users = [b"user123", b"user456", b"user789"]
    sent = [Outgoing(key=users[n % 3], value=b"step %d" % n) for n in range(60)]

    produce(client, cluster.bootstrap, topic, sent)

    found = read_partitions(client, cluster.bootstrap, topic, PARTITIONS, len(sent))
    for user in users:
        records = sorted((r for r in found if r.key == user), key=lambda record: record.offset)
        assert len({record.partition for record in records}) == 1, f"{user!r} is in several partitions"
        steps = [record.value for record in sent if record.key == user]
        require([record.value for record in records], steps, f"what {user.decode()} did, in order,")


def test_records_without_a_key_use_all_partitions(
    cluster: Cluster, client: Library, operator: Operator, names: Names
) -> None:
    """Records without a key use all partitions."""
    if client.name == "raw":
        pytest.skip("the raw client does not spread records")
    topic = names.topic("clicks")
    operator.create_topic(topic, PARTITIONS)
    producer = client.producer(cluster.bootstrap, ClientSettings(), "clicker")

    # A client may use the same partition for a few milliseconds, so the records are sent in 40 bursts.
    for burst in range(40):
        send_all(producer, topic, [Outgoing(value=b"click %d.%d" % (burst, n)) for n in range(5)])
        time.sleep(0.012)
    producer.close()

    found = read_partitions(client, cluster.bootstrap, topic, PARTITIONS, 200)
    require(len(found), 200, "the number of records that came back")
    require({record.partition for record in found}, {0, 1, 2}, "the set of partitions that are used")
