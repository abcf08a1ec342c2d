"""Clusters of Apache Kafka and of ours, and what tests of them ask: who leads, what was acknowledged, what lies in the
folders."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import closing

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from harness.clients.node_admin import NodeAdmin
from harness.replicas.metadata_log import MetadataLog
from harness.replicas.metadata_state import differences, replayed, wrongs
from harness.targets.local_cluster import LocalCluster
from harness.targets.local_node import LocalNode
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_topics_request import (
    CreatableReplicaAssignment,
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from reference_broker.wire.primitives import TopicName

WITHIN_S = 60.0


class Load:
    """A producer with acks=all, idempotent, that writes numbers in turn to the partitions of a topic."""

    def __init__(self, bootstrap: str, topic: str, partitions: int) -> None:
        settings = {"bootstrap.servers": bootstrap, "acks": "all", "enable.idempotence": True}
        self._producer = Producer({**settings, "delivery.timeout.ms": 120_000, "log_level": 0})
        self._topic, self._partitions = topic, partitions
        self.acknowledged: dict[tuple[int, int], bytes] = {}
        """(partition, offset) → value."""
        self.failures: list[str] = []
        self._has_ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._has_ended.set()
        self._thread.join(180)

    def _run(self) -> None:
        number = 0
        while not self._has_ended.is_set():
            partition = number % self._partitions
            self._producer.produce(self._topic, b"%d" % number, partition=partition, on_delivery=self._on_delivery)
            number += 1
            self._producer.poll(0)
            self._has_ended.wait(0.005)
        self._producer.flush(150)

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self.failures.append(str(error))
        else:
            self.acknowledged[message.partition(), message.offset()] = message.value()

    def count(self, partition: int) -> int:
        """How many records of a partition were acknowledged so far."""
        return sum(1 for one, _ in list(self.acknowledged) if one == partition)


def read_all(bootstrap: str, topic: str, partitions: int) -> dict[tuple[int, int], bytes]:
    """Every record of a topic: (partition, offset) → value."""
    settings = {"bootstrap.servers": bootstrap, "group.id": "reader", "enable.auto.commit": False, "log_level": 0}
    found: dict[tuple[int, int], bytes] = {}
    with closing(Consumer(settings)) as consumer:
        wanted = [TopicPartition(topic, partition) for partition in range(partitions)]
        ends = [consumer.get_watermark_offsets(one, timeout=30)[1] for one in wanted]
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
        while len(found) < sum(ends):
            messages = consumer.consume(500, timeout=30)
            assert messages, f"{len(found)} of {sum(ends)} records came"
            found |= {(one.partition(), one.offset()): one.value() for one in messages if one.error() is None}
    return found


def node_of(cluster: LocalCluster, node_id: int | None) -> LocalNode:
    """A node by its id."""
    return next(node for node in cluster.nodes if node.id == node_id)


def active_controller(nodes: Sequence[LocalNode]) -> int:
    """The active controller, as the first of some nodes says that knows one; -1 for none."""
    for node in nodes:
        try:
            with NodeAdmin(node.address) as client:
                return client.quorum()[1]
        except OSError:
            continue
    return -1


def create(node: LocalNode, name: str, assignment: Sequence[Sequence[int]], **config: str) -> ErrorCode:
    """Creates a topic with these replicas of each partition."""
    topic = CreatableTopic(
        name=TopicName(name),
        num_partitions=-1,
        replication_factor=-1,
        assignments=tuple(
            CreatableReplicaAssignment(partition_index=index, broker_ids=tuple(replicas))  # type: ignore[arg-type]
            for index, replicas in enumerate(assignment)
        ),
        configs=tuple(CreatableTopicConfig(name=key, value=value) for key, value in config.items()),
    )
    with NodeAdmin(node.address, timeout_s=WITHIN_S) as client:
        answer = client.ask(ApiKey.CREATE_TOPICS, 7, CreateTopicsRequest(topics=(topic,), timeout_ms=30_000))
    return ErrorCode(answer.topics[0].error_code)


def bytes_of(node: LocalNode, topic: str, partition: int) -> bytes:
    """A replica's segment files, one behind the other. Nodes may begin a new file at different places."""
    files = sorted((node.data_dir / f"{topic}-{partition}").glob("*.log"))
    return b"".join(path.read_bytes() for path in files)


def faults_of(log: MetadataLog) -> list[str]:
    """What is wrong in a metadata log, and where one of its snapshots is not the image of the records before it. A log
    that does not start at 0 starts with a snapshot."""
    first = next((one.records for one in log.snapshots if one.end == log.start), ())
    found = list(wrongs([*first, *log.records]))
    for snapshot in log.snapshots:
        if log.start < snapshot.end <= log.end and snapshot.records:
            before = replayed([*first, *(one for one in log.records if one.offset < snapshot.end)]).facts()
            lines = differences(before, replayed(snapshot.records).facts())
            found += [f"snapshot {snapshot.end} of node {log.node}: {line}" for line in lines]
    return found
