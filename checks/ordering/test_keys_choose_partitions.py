"""A key chooses its partition.

**Claim** All records with one key are in one partition, the one that Kafka's hash names (murmur2 of the key), whichever
client sent them; records without a key are spread.

**Why it matters** Order is kept within a partition only, so everything about one customer must go to the same one, also
when two services in two languages write.

**Kafka says** producer configuration partitioner.class; KIP-480 (records without a key).

**Cannot see** a topic whose number of partitions changes: then keys move.

**Rejects** tests/unit/harness/clients/test_murmur2.py::test_the_hash_is_kafka_s
"""

from __future__ import annotations

import pytest

from harness.clients.client import CLIENTS, Library
from harness.clients.cluster_view import RawAdmin
from harness.clients.murmur2 import partition_of
from harness.clients.transfer import Outgoing, produce, read_partitions
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.targets.target import Cluster

pytestmark = [pytest.mark.feature("Produce")]
PARTITIONS = 6
KEYS = [f"customer-{number}".encode() for number in range(20)] + ["고객-12".encode(), b"k", b"\xff\xfe"]


@pytest.mark.claim("O9")
@pytest.mark.parametrize("client", CLIENTS, indirect=True)
def test_keys_choose_partitions(cluster: Cluster, client: Library, admin: RawAdmin, names: Names) -> None:
    topic = names.topic("by-key")
    admin.create_topic(topic, PARTITIONS)

    produce(client, cluster.bootstrap, topic, [Outgoing(value=b"v", key=key) for key in KEYS * 3])

    found = read_partitions(client, cluster.bootstrap, topic, PARTITIONS, 3 * len(KEYS))
    require(len(found), 3 * len(KEYS), "the number of records that came back")
    for record in found:
        assert record.key is not None
        expected = partition_of(record.key, PARTITIONS)
        assert record.partition == expected, f"key {record.key!r} is in partition {record.partition}, not {expected}"
