"""Each kind of target, for real: it opens, its node is killed, paused, stopped, and its data are there afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from harness.pytest_plugin.lacking import skip_for
from harness.targets.readiness import answers
from harness.targets.target import Cluster, ClusterSpec, TargetTrouble, resolve
from nemesis.fault_names import fault_named

IMAGE = os.environ.get("KAFKA_IMAGE", "local/kafka:4.3.1")
TARGETS = ("reference", *(pytest.param(one, marks=pytest.mark.long) for one in ("kafka@4.3.1", f"docker@{IMAGE}")))
VALUE = "주문 1".encode()


@pytest.fixture(scope="module", params=TARGETS)
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    target = resolve(request.param)
    if (lack := target.lack(ClusterSpec())) is not None:
        skip_for(lack)
    opened = target.open(ClusterSpec())
    yield opened
    opened.close()


def send(cluster: Cluster, topic: str) -> None:
    producer = Producer({"bootstrap.servers": cluster.bootstrap, "acks": "all", "delivery.timeout.ms": 30_000})
    troubles: list[object] = []
    producer.produce(topic, VALUE, on_delivery=lambda error, message: troubles.append(error))
    producer.flush(40)
    assert troubles == [None]


def first_value(cluster: Cluster, topic: str) -> bytes | None:
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": "reader", "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    try:
        message = consumer.poll(30)
        return None if message is None else message.value()
    finally:
        consumer.close()


@pytest.mark.parametrize("fault", ["kill", "pause", "restart"])
def test_an_acknowledged_record_is_there_after_the_fault(cluster: Cluster, fault: str) -> None:
    topic, nemesis = f"after-{fault}", fault_named(fault)
    send(cluster, topic)
    nemesis.inject(cluster, nemesis.plan(cluster.view(), Random(1)))
    nemesis.heal(cluster)
    nemesis.verify_healed(cluster)
    assert first_value(cluster, topic) == VALUE


def test_a_paused_node_does_not_answer(cluster: Cluster) -> None:
    (node,) = cluster.nodes
    node.pause()
    answered = answers(node.address, timeout_s=0.5)
    node.resume()
    assert not answered


def test_a_killed_node_is_dead_until_it_is_started(cluster: Cluster) -> None:
    (node,) = cluster.nodes
    node.kill()
    dead = not node.is_alive()
    node.start()
    node.wait_ready()
    assert (dead, answers(node.address)) == (True, True)


def test_the_log_of_a_node_is_collected(cluster: Cluster) -> None:
    assert all(text for text in cluster.logs().values())


def test_a_node_that_cannot_start_is_reported_with_its_log() -> None:
    target = resolve("kafka@4.3.1")
    if (lack := target.lack()) is not None:
        skip_for(lack)
    with pytest.raises(TargetTrouble, match=r"Invalid value many for configuration num\.partitions"):
        target.open(ClusterSpec(config={"num.partitions": "many"}))
