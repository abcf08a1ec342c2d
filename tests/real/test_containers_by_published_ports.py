"""Clients reach a node in a container by a published port, the very one at which Kafka listens and that it tells."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from harness.pytest_plugin.lacking import skip_for
from harness.targets import images
from harness.targets.containers.labels import LABEL
from harness.targets.containers.target import KafkaContainerTarget
from harness.targets.readiness import ask
from harness.targets.target import ClusterSpec
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.metadata_request import MetadataRequest

IMAGE = os.environ.get("KAFKA_IMAGE", "local/kafka:4.3.1")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    target = KafkaContainerTarget(f"docker@{IMAGE}", IMAGE, is_published=True)
    if (lack := target.lack(ClusterSpec())) is not None:
        skip_for(lack)
    opened = target.open(ClusterSpec())
    yield opened
    opened.close()


def published(cluster: Any) -> dict[str, list[dict[str, str]]]:
    """What Docker says that the cluster's containers publish: container port -> host addresses and ports."""
    containers = images.connect().containers.list(filters={"label": f"{LABEL}={cluster.run}"})
    found: dict[str, list[dict[str, str]]] = {}
    for container in containers:
        found |= {port: places for port, places in container.ports.items() if places}
    return found


def test_the_port_of_clients_is_published_under_its_own_number(cluster: Any) -> None:
    host, port = cluster.nodes[0].address
    assert published(cluster)[f"{port}/tcp"] == [{"HostIp": host, "HostPort": str(port)}]


def test_nothing_else_but_ssh_is_published(cluster: Any) -> None:
    _, port = cluster.nodes[0].address
    assert sorted(published(cluster)) == sorted(["22/tcp", f"{port}/tcp"])


def test_the_node_tells_the_published_address(cluster: Any) -> None:
    (broker,) = ask(cluster.nodes[0].address, ApiKey.METADATA, 9, MetadataRequest(topics=())).brokers
    assert f"{broker.host}:{broker.port}" == cluster.bootstrap


def test_a_client_that_follows_that_address_writes_and_reads(cluster: Any) -> None:
    producer = Producer({"bootstrap.servers": cluster.bootstrap, "acks": "all", "delivery.timeout.ms": 20_000})
    producer.produce("orders", b"1")
    assert producer.flush(30) == 0
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": "reader"})
    consumer.assign([TopicPartition("orders", 0, 0)])
    message = consumer.poll(20)
    consumer.close()
    assert message is not None
    assert message.value() == b"1"
