"""A record's key determines its partition.

**Claim** All records with the same key are in one partition, the one that Kafka's own partitioner chooses, whichever
client sent them. Clients that choose partitions for records without a key spread these over all partitions.

**Why it matters** Order is kept within a partition only, so all records of one customer must go to the same partition,
even if services in different languages write them.

**Kafka says** producer configuration partitioner.class; KIP-480, KIP-794 (records without a key). key_partitions.json
holds what Kafka 4.3.1's BuiltInPartitioner answered.

**Cannot see** a topic whose number of partitions changes: keys then move to other partitions. How even the spread is.

**Rejects** tests/plants/appends_to_the_first_partition.py
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.clients.client import CLIENTS, Library
from harness.clients.leader_connections import RawAdmin
from harness.clients.transfer import Outgoing, produce, read_partitions, send_all
from harness.hosts import cluster_time as time
from harness.judging.guarantees import ClientSettings
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.targets.target import Cluster

pytestmark = [
    pytest.mark.feature("Produce"),
    pytest.mark.claim("O9"),
    pytest.mark.kip(480, 794),
    pytest.mark.document(
        "producer configuration partitioner.class",
        "https://kafka.apache.org/documentation/#producerconfigs_partitioner.class",
    ),
]
KAFKAS = json.loads(Path(__file__).with_name("key_partitions.json").read_text("utf-8"))
"""What Kafka's own partitioner chooses; made by tests/vectors/KeyPartitions.java."""
PARTITIONS: int = KAFKAS["partitions"]
PARTITION_OF = {bytes.fromhex(key): partition for key, partition in KAFKAS["partition by key in hex"].items()}
FEW_PARTITIONS, BURSTS, A_BURST = 3, 60, 5
"""A client may use the same partition for a few milliseconds, so records without a key are sent in bursts."""


@pytest.mark.parametrize("client", CLIENTS, indirect=True)
def test_keys_choose_partitions(cluster: Cluster, client: Library, admin: RawAdmin, names: Names) -> None:
    topic = names.topic("by-key")
    admin.create_topic(topic, PARTITIONS)
    keys = list(PARTITION_OF) * 3

    produce(client, cluster.bootstrap, topic, [Outgoing(value=b"v", key=key) for key in keys])

    found = read_partitions(client, cluster.bootstrap, topic, PARTITIONS, len(keys))
    require(sorted(str(record.key) for record in found), sorted(map(str, keys)), "the keys that came back")
    places = {key: sorted({record.partition for record in found if record.key == key}) for key in PARTITION_OF}
    require(places, {key: [partition] for key, partition in PARTITION_OF.items()}, "where the records of each key are")


@pytest.mark.parametrize("client", ["confluent", "kafka_python", "aiokafka"], indirect=True)
def test_records_without_a_key_are_spread(cluster: Cluster, client: Library, admin: RawAdmin, names: Names) -> None:
    """Records without a key that are sent over some time reach every partition."""
    topic = names.topic("clicks")
    admin.create_topic(topic, FEW_PARTITIONS)
    producer = client.producer(cluster.bootstrap, ClientSettings(), f"{topic}-producer")

    for burst in range(BURSTS):
        send_all(producer, topic, [Outgoing(value=b"click %d.%d" % (burst, number)) for number in range(A_BURST)])
        time.sleep(0.012)
    producer.close()

    found = read_partitions(client, cluster.bootstrap, topic, FEW_PARTITIONS, BURSTS * A_BURST)
    require(len(found), BURSTS * A_BURST, "the number of records that came back")
    require({record.partition for record in found}, set(range(FEW_PARTITIONS)), "the set of partitions that are used")
