"""Orders that kafka-python sends as JSON with Korean text are read back unchanged.

**Claim** An order that kafka-python sends as JSON is read back unchanged by kafka-python and by librdkafka, at the
partition and offset in its acknowledgement.

**Why it matters** People copy this example, and send text in their own script.

**Kafka says** nothing about text: values are bytes.

**Cannot see** serialisers of a schema registry.

**Rejects** tests/plants/wrong_offset_in_answer.py
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from kafka import KafkaConsumer, KafkaProducer

from harness.clients.client import library
from harness.clients.operators.operator import Operator
from harness.clients.transfer import read_partitions
from harness.judging.outcome import require
from harness.pytest_plugin.names import Names
from harness.targets.target import Cluster

pytestmark = [
    pytest.mark.feature("Produce"),
    pytest.mark.claim("O7", "O2"),
    pytest.mark.usefixtures("sockets"),
    # kafka-python warns about serializers that are functions, as most programs have them.
    pytest.mark.filterwarnings("ignore:value_.*serializer does not implement"),
]
PARTITIONS = 3


def test_python_orders(cluster: Cluster, operator: Operator, names: Names) -> None:
    topic, group = names.topic("orders"), names.group("order-processor")
    operator.create_topic(topic, PARTITIONS)
    sent_at = datetime.now(UTC).isoformat()
    orders = [
        {"주문번호": f"ORD-{number:03}", "상품": "노트북", "수량": number, "가격": 1_500_000, "시간": sent_at}
        for number in range(1, 8)
    ]
    producer = KafkaProducer(
        bootstrap_servers=cluster.bootstrap.split(","),
        value_serializer=lambda order: json.dumps(order, ensure_ascii=False).encode("utf-8"),
    )
    places = []
    for order in orders:
        answer = producer.send(topic, value=order).get(timeout=10)
        places.append((answer.partition, answer.offset))
    producer.close()

    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=cluster.bootstrap.split(","),
        auto_offset_reset="earliest",
        group_id=group,
        value_deserializer=lambda value: json.loads(value.decode("utf-8")),
        consumer_timeout_ms=20_000,
    )
    read = {}
    for message in consumer:
        read[message.partition, message.offset] = message.value
        if len(read) == len(orders):
            break
    consumer.close()

    require(read, dict(zip(places, orders, strict=True)), "what kafka-python finds at the answered (partition, offset)")
    again = read_partitions(library("confluent"), cluster.bootstrap, topic, PARTITIONS, len(orders))
    by_another = {(r.partition, r.offset): json.loads((r.value or b"").decode()) for r in again}
    require(by_another, read, "what librdkafka finds")
