"""kafka-reassign-partitions of Kafka's own jars moves replicas to brokers and to log folders that it is told, on three
nodes of ours as on three of Apache Kafka; `--verify` and DescribeLogDirs say that it did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from harness.hosts import small_disk
from harness.hosts.host import wait_until
from harness.pytest_plugin.lacking import skip_for
from harness.targets import kafka_tools
from harness.targets.kafka_process import KafkaProcessTarget
from harness.targets.kafka_tools import TOOLS_VERSION, Java, succeed
from harness.targets.local_cluster import LocalCluster
from harness.targets.readiness import ask
from harness.targets.reference import ReferenceTarget
from harness.targets.target import ClusterSpec
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.messages.create_topics_request import (
    CreatableReplicaAssignment,
    CreatableTopic,
    CreateTopicsRequest,
)
from reference_broker.wire.messages.describe_log_dirs_request import DescribableLogDirTopic, DescribeLogDirsRequest
from reference_broker.wire.primitives import BrokerId, TopicName

pytestmark = pytest.mark.long

TOOL: Final = "reassign.ReassignPartitionsCommand"
TOPIC: Final = TopicName("orders")
BEFORE: Final = (1, 2)
AFTER: Final = (2, 3)
"""Broker 2 keeps a replica, in another folder; broker 3 gets one in the folder that it is told."""
RECORDS: Final = 500
MOVED_WITHIN_S: Final = 90.0


@pytest.fixture(params=["reference", f"kafka@{TOOLS_VERSION}"])
def cluster(request: pytest.FixtureRequest) -> Iterator[LocalCluster]:
    """Three nodes, each with two log folders."""
    who = request.param
    target = ReferenceTarget() if who == "reference" else KafkaProcessTarget(who, TOOLS_VERSION)
    for lack in (kafka_tools.lack(), small_disk.lack()):
        if lack is not None:
            skip_for(lack)
    opened = target.open(ClusterSpec(nodes=3, small_disk_mb=64))
    yield opened
    opened.close()


def folders_of(cluster: LocalCluster, broker: int) -> dict[str, bool]:
    """A broker's log folders, and whether the partition is there as it should be: whole, not on its way."""
    (node,) = (one for one in cluster.nodes if one.id == broker)
    asked = DescribeLogDirsRequest(topics=(DescribableLogDirTopic(topic=TOPIC, partitions=(0,)),))
    results = ask(node.address, ApiKey.DESCRIBE_LOG_DIRS, 4, asked).results
    return {
        one.log_dir: any(not part.is_future_key for topic in one.topics for part in topic.partitions) for one in results
    }


def write(cluster: LocalCluster) -> None:
    """The topic with one partition on two brokers, and records in it."""
    assigned = CreatableReplicaAssignment(partition_index=0, broker_ids=tuple(map(BrokerId, BEFORE)))
    topic = CreatableTopic(name=TOPIC, num_partitions=-1, replication_factor=-1, assignments=(assigned,))
    request = CreateTopicsRequest(topics=(topic,), timeout_ms=30_000)
    (made,) = ask(cluster.nodes[0].address, ApiKey.CREATE_TOPICS, 5, request).topics
    assert not made.error_code
    producer = Producer({"bootstrap.servers": cluster.bootstrap, "acks": "all"})
    for number in range(RECORDS):
        producer.produce(TOPIC, str(number).encode() * 100)
    assert not producer.flush(60)


def read(cluster: LocalCluster) -> int:
    """How many records there are."""
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": "reader", "enable.partition.eof": True})
    consumer.assign([TopicPartition(TOPIC, 0, 0)])
    count = 0
    while (message := consumer.poll(30)) is not None and message.error() is None:
        count += 1
    consumer.close()
    return count


def test_replicas_come_into_the_folders_that_the_tool_was_told(cluster: LocalCluster, tmp_path: Path) -> None:
    write(cluster)
    java = Java()
    (second,) = (path for path, is_there in folders_of(cluster, 2).items() if not is_there)
    third = sorted(folders_of(cluster, 3))[-1]
    wanted = {"topic": TOPIC, "partition": 0, "replicas": AFTER, "log_dirs": [second, third]}
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"version": 1, "partitions": [wanted]}), encoding="utf-8")

    def run(action: str) -> str:
        arguments = ("--bootstrap-server", cluster.bootstrap, "--reassignment-json-file", str(plan), action)
        return succeed(java.tool(TOOL, *arguments), f"kafka-reassign-partitions {action}")

    said: list[str] = ["", run("--execute")]

    def is_complete() -> bool:
        said[0] = run("--verify")
        return all(words in said[0] for words in told)

    told = [
        f"Reassignment of partition {TOPIC}-0 is completed.",
        *(f"Reassignment of replica {TOPIC}-0-{broker} completed successfully." for broker in AFTER),
    ]
    wait_until(is_complete, MOVED_WITHIN_S, f"the tool does not say that it is done: {said}", every_s=1.0)

    assert "Successfully started" in said[1]
    there: Any = {
        broker: [path for path, is_there in folders_of(cluster, broker).items() if is_there] for broker in AFTER
    }
    assert there == {2: [second], 3: [third]}
    assert cluster.view(topics=[TOPIC]).replicas[TOPIC, 0] == AFTER
    assert read(cluster) == RECORDS
