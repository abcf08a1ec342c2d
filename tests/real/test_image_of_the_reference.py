"""The reference broker's image stands where Kafka's stood: the same variables, the same command line of compose."""

from __future__ import annotations

import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from harness.hosts.host import wait_until
from harness.hosts.lack import Lack, Means
from harness.pytest_plugin.lacking import skip_for
from harness.targets.containers.target import KafkaContainerTarget
from harness.targets.reference_image import TAG
from harness.targets.target import ClusterSpec

ROOT = Path(__file__).resolve().parents[2]
ADDRESSES = "localhost:19092,localhost:19093,localhost:19094"


def compose_command() -> list[str] | None:
    """Compose as a plugin of docker or as a program of its own; None where there is neither."""
    if (
        shutil.which("docker")
        and not subprocess.run(
            ["docker", "compose", "version"], capture_output=True, timeout=60, check=False
        ).returncode
    ):
        return ["docker", "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else None


@pytest.fixture(scope="module")
def target() -> KafkaContainerTarget:
    found = KafkaContainerTarget(f"docker@{TAG}", TAG)
    if (lack := found.lack(ClusterSpec())) is not None:
        skip_for(lack)
    return found


@pytest.fixture
def cluster_by_compose(target: KafkaContainerTarget) -> Iterator[str]:
    command = compose_command()
    if command is None:
        skip_for(Lack(Means.DOCKER, "docker compose is not installed: apt-get install docker-compose"))
    whole = [*command, "-f", str(ROOT / "compose.yaml"), "-p", f"t{uuid.uuid4().hex[:8]}", "--profile", "three"]
    nodes = ["node-1", "node-2", "node-3"]
    try:
        subprocess.run([*whole, "up", "-d", *nodes], check=True, capture_output=True, text=True, timeout=180)
        yield ADDRESSES
    finally:
        subprocess.run([*whole, "down", "-v", "-t", "20"], check=False, capture_output=True, timeout=180)


def test_a_killed_node_comes_back_on_its_data(target: KafkaContainerTarget) -> None:
    cluster = target.open(ClusterSpec())
    try:
        producer = Producer({"bootstrap.servers": cluster.bootstrap, "acks": "all"})
        producer.produce("orders", b"1")
        assert producer.flush(30) == 0
        (node,) = cluster.nodes
        node.kill()
        node.start()
        node.wait_ready()
        consumer = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": "reader"})
        consumer.assign([TopicPartition("orders", 0, 0)])
        message = consumer.poll(30)
        consumer.close()
    finally:
        cluster.close()
    assert message is not None
    assert message.value() == b"1"


def test_three_nodes_by_compose_replicate_a_topic(cluster_by_compose: str) -> None:
    admin = AdminClient({"bootstrap.servers": cluster_by_compose})
    wait_until(lambda: len(admin.list_topics(timeout=30).brokers) == 3, 60, "three nodes are not registered", 0.2)
    admin.create_topics([NewTopic("orders", 1, 3)])["orders"].result(30)
    refused: list[object] = []
    producer = Producer({"bootstrap.servers": cluster_by_compose, "acks": "all"})
    producer.produce("orders", b"1", on_delivery=lambda error, message: refused.append(error))
    producer.flush(30)
    assert refused == [None]
