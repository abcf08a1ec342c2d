"""Orders get through a broker, whatever the client library."""

from __future__ import annotations

import asyncio

import pytest
from orders import read_orders, send_orders

from harness import KafkaCluster, OpensCluster

ORDERS = ["espresso", "cortado", "flat white"]


def test_orders_come_back(kafka_broker: KafkaCluster) -> None:
    topic = kafka_broker.new_topic("orders")
    send_orders(kafka_broker.bootstrap, topic, ORDERS)

    assert read_orders(kafka_broker.bootstrap, topic, kafka_broker.new_name("group"), 3) == ORDERS


def test_a_topic_of_another_test_is_not_ours(kafka_broker: KafkaCluster) -> None:
    assert kafka_broker.new_topic("orders") != kafka_broker.new_topic("orders")


def test_kafka_python_reads_orders(kafka_broker: KafkaCluster) -> None:
    kafka = pytest.importorskip("kafka")
    topic = kafka_broker.new_topic("orders")
    send_orders(kafka_broker.bootstrap, topic, ORDERS)
    consumer = kafka.KafkaConsumer(
        topic, bootstrap_servers=kafka_broker.bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=20_000
    )

    assert [next(consumer).value.decode() for _ in ORDERS] == ORDERS
    consumer.close()


def test_aiokafka_reads_orders(kafka_broker: KafkaCluster) -> None:
    aiokafka = pytest.importorskip("aiokafka")
    topic = kafka_broker.new_topic("orders")
    send_orders(kafka_broker.bootstrap, topic, ORDERS)

    async def read() -> list[str]:
        consumer = aiokafka.AIOKafkaConsumer(
            topic, bootstrap_servers=kafka_broker.bootstrap, auto_offset_reset="earliest"
        )
        async with consumer:
            return [(await asyncio.wait_for(consumer.getone(), 20)).value.decode() for _ in ORDERS]

    assert asyncio.run(read()) == ORDERS


def test_orders_have_a_replica_each_in_three_nodes(kafka_cluster: OpensCluster) -> None:
    cluster = kafka_cluster(nodes=3)
    topic = cluster.new_topic("orders", replicas=3, config={"min.insync.replicas": "2"})
    send_orders(cluster.bootstrap, topic, ORDERS)

    assert read_orders(cluster.bootstrap, topic, cluster.new_name("group"), 3) == ORDERS
