"""Orders that a Java program sends are read unchanged by other clients.

**Claim** A program that uses Kafka's own Java client sends orders with Korean text. A client in another language reads
each order unchanged, at the partition and offset in its acknowledgement; the partition is the one that its key
determines.

**Why it matters** Many producers are written in Java, and many of their consumers are not.

**Kafka says** producer API, `KafkaProducer.send` and `RecordMetadata`.

**Cannot see** other releases of the Java client.

**Rejects** tests/plants/appends_to_the_first_partition.py
"""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.clients.client import Library
from harness.clients.murmur2 import partition_of
from harness.clients.operators.operator import Operator
from harness.clients.transfer import read_partitions
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.targets.kafka_tools import Java, succeed
from harness.targets.target import Cluster

pytestmark = [pytest.mark.feature("Produce"), pytest.mark.claim("O2", "O7", "O9"), pytest.mark.needs("java")]
PARTITIONS, COUNT = 3, 12
PROGRAM = Path(__file__).with_name("OrderProducer.java")


def test_java_producer(cluster: Cluster, client: Library, operator: Operator, names: Names, java: Java) -> None:
    topic = names.topic("orders")
    operator.create_topic(topic, PARTITIONS)

    printed = succeed(java.source(PROGRAM, cluster.bootstrap, topic, str(COUNT)), "the Java producer")

    told = {}
    for line in printed.splitlines():
        order, partition, offset = line.split()
        told[int(partition), int(offset)] = (order, f"노트북,{int(order.removeprefix('ORD-'))},1500000")
    require(len(told), COUNT, "the number of places that the Java producer was told")
    found = read_partitions(client, cluster.bootstrap, topic, PARTITIONS, COUNT)
    seen = {(r.partition, r.offset): ((r.key or b"").decode(), (r.value or b"").decode()) for r in found}
    require(seen, told, "what another client finds at (partition, offset)")
    for (partition, _), (key, _) in seen.items():
        require(partition, partition_of(key.encode(), PARTITIONS), f"the partition of key {key}")
