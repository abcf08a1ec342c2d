"""What one broker wrote the other serves: Kafka goes on where ours stopped or was killed, and the other way round.

One and the same server.properties starts both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, OffsetSpec, ResourceType
from confluent_kafka.cimpl import NewTopic

from harness.hosts.host import wait_until

TOPIC, GONE, GROUP = "orders", "gone", "readers"
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
RECORDS = 40
"""Of each codec, in each of two partitions."""
FIRST_KEPT, COMMITTED = 7, 33
NOW = 1_760_000_000_000
Row = tuple[int, int, bytes | None, bytes | None, tuple[tuple[str, bytes | None], ...]]
"""Offset, timestamp, key, value, headers."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A folder that the first broker wrote and the second now runs on."""

    folder: Any
    written: dict[int, list[Row]]
    cluster_id: str
    admin: AdminClient


def write(bootstrap: str) -> dict[int, list[Row]]:
    """Records of every codec, with keys, headers, Korean text and empty values; as they should be read."""
    rows: dict[int, list[Row]] = {0: [], 1: []}
    failed: list[object] = []
    for place, codec in enumerate(CODECS):
        producer = Producer(
            {"bootstrap.servers": bootstrap, "compression.type": codec, "enable.idempotence": True, "linger.ms": 20}
        )
        for number in range(RECORDS):
            offset = place * RECORDS + number
            key, value = f"주문-{offset}".encode(), None if number % 10 == 9 else b"%d" % offset * 20
            headers = (("codec", codec.encode()), ("none", None)) if number % 3 == 0 else ()
            for partition, wanted in rows.items():
                producer.produce(
                    TOPIC,
                    value,
                    key,
                    partition,
                    timestamp=NOW + offset,
                    headers=list(headers),
                    on_delivery=lambda error, message: failed.append(error) if error else None,
                )
                wanted.append((offset, NOW + offset, key, value, headers))
        producer.flush(60)
    assert not failed
    return rows


def prepare(bootstrap: str) -> dict[int, list[Row]]:
    """All that the first broker is asked to keep."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    config = {"retention.ms": "-1", "max.message.bytes": "200000", "segment.bytes": "1048576"}
    topics = [NewTopic(TOPIC, 2, 1, config=config), NewTopic(GONE, 1, 1)]
    for made in admin.create_topics(topics).values():
        made.result(30)
    rows = write(bootstrap)
    admin.delete_topics([GONE])[GONE].result(30)
    admin.delete_records([TopicPartition(TOPIC, 0, FIRST_KEPT)])[TopicPartition(TOPIC, 0)].result(30)
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": GROUP, "enable.auto.commit": False})
    reader.commit(offsets=[TopicPartition(TOPIC, 1, COMMITTED, metadata="so far")], asynchronous=False)
    reader.close()
    return {0: rows[0][FIRST_KEPT:], 1: rows[1]}


def read(bootstrap: str, partition: int, count: int) -> list[Row]:
    """The first records of a partition."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "fresh", "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(TOPIC, partition, 0)])
    rows: list[Row] = []
    try:
        while len(rows) < count and (batch := consumer.consume(count - len(rows), timeout=20)):
            for message in batch:
                assert message.error() is None, message.error()
                headers = tuple(message.headers() or ())
                rows.append((message.offset(), message.timestamp()[1], message.key(), message.value(), headers))
        return rows
    finally:
        consumer.close()


@pytest.fixture(
    scope="module",
    params=[
        ("reference", "kafka", "stop"),
        pytest.param(("reference", "kafka", "kill"), marks=pytest.mark.long),
        pytest.param(("kafka", "reference", "stop"), marks=pytest.mark.long),
        ("kafka", "reference", "kill"),
    ],
    ids=lambda param: f"{param[0]} {'stopped' if param[2] == 'stop' else 'killed'}, then {param[1]}",
)
def exchange(request: pytest.FixtureRequest, new_folder: Callable[..., Any]) -> Iterator[Exchange]:
    """Formatted and written by one broker, which ended so or so; served by the other."""
    first, second, how = request.param
    # Deleted records come back after a crash until the log's new start is checkpointed: by default each minute.
    folder = new_folder(**{"log.flush.start.offset.checkpoint.interval.ms": "200"})
    folder.format(first)
    folder.start(first)
    written = prepare(folder.bootstrap)
    checkpoint, line = folder.data / "log-start-offset-checkpoint", f"{TOPIC} 0 {FIRST_KEPT}"
    wait_until(lambda: line in checkpoint.read_text(), 20, f"{first} does not checkpoint the start of the log")
    admin = AdminClient({"bootstrap.servers": folder.bootstrap})
    cluster_id = admin.list_topics(timeout=30).cluster_id
    folder.end(how)
    folder.start(second)
    yield Exchange(folder, written, cluster_id, AdminClient({"bootstrap.servers": folder.bootstrap}))
    folder.end("kill")


@pytest.mark.parametrize("partition", [0, 1])
def test_every_record_is_served_with_its_offset_time_key_value_and_headers(exchange: Exchange, partition: int) -> None:
    wanted = exchange.written[partition]
    assert read(exchange.folder.bootstrap, partition, len(wanted)) == wanted


def test_the_cluster_keeps_its_id(exchange: Exchange) -> None:
    assert exchange.admin.list_topics(timeout=30).cluster_id == exchange.cluster_id


def test_the_committed_offset_and_its_metadata_are_kept(exchange: Exchange) -> None:
    asked = [ConsumerGroupTopicPartitions(GROUP, [TopicPartition(TOPIC, 1)])]

    def is_loaded() -> bool:
        """A coordinator reads its groups after the start, and refuses until then."""
        error = exchange.admin.list_consumer_group_offsets(asked)[GROUP].exception(30)
        return not isinstance(error, KafkaException) or error.args[0].name() != "COORDINATOR_LOAD_IN_PROGRESS"

    wait_until(is_loaded, 20, f"the groups are not loaded on {exchange.folder.path}")
    found = exchange.admin.list_consumer_group_offsets(asked)[GROUP].result(30).topic_partitions[0]
    assert (found.offset, found.metadata) == (COMMITTED, "so far")


def test_a_member_of_the_group_reads_on_from_there(exchange: Exchange) -> None:
    consumer = Consumer(
        {"bootstrap.servers": exchange.folder.bootstrap, "group.id": GROUP, "enable.auto.commit": False}
    )
    consumer.subscribe([TOPIC])
    try:
        offsets = {}
        while 1 not in offsets:
            message = consumer.poll(30)
            assert message is not None
            assert message.error() is None, message.error()
            offsets.setdefault(message.partition(), message.offset())
    finally:
        consumer.close()
    assert offsets[1] == COMMITTED


def test_a_deleted_topic_stays_deleted(exchange: Exchange) -> None:
    assert {TOPIC} == {name for name in exchange.admin.list_topics(timeout=30).topics if not name.startswith("__")}


def test_the_settings_of_the_topic_are_kept(exchange: Exchange) -> None:
    resource = ConfigResource(ResourceType.TOPIC, TOPIC)
    found = exchange.admin.describe_configs([resource])[resource].result(30)
    names = ("retention.ms", "max.message.bytes", "segment.bytes", "cleanup.policy")
    assert [found[name].value for name in names] == ["-1", "200000", "1048576", "delete"]


@pytest.mark.parametrize(
    ("what", "spec", "wanted"),
    [
        ("earliest", OffsetSpec.earliest(), FIRST_KEPT),
        ("latest", OffsetSpec.latest(), RECORDS * len(CODECS)),
        ("of a time", OffsetSpec.for_timestamp(NOW + 100), 100),
        ("with the largest time", OffsetSpec.max_timestamp(), RECORDS * len(CODECS) - 1),
    ],
)
def test_offsets_are_found_as_before(exchange: Exchange, what: str, spec: OffsetSpec, wanted: int) -> None:
    partition = TopicPartition(TOPIC, 0)
    assert exchange.admin.list_offsets({partition: spec})[partition].result(30).offset == wanted


def test_a_new_record_gets_the_next_offset(exchange: Exchange) -> None:
    offsets: list[int] = []
    producer = Producer({"bootstrap.servers": exchange.folder.bootstrap, "enable.idempotence": True})
    producer.produce(TOPIC, b"new", partition=1, on_delivery=lambda error, message: offsets.append(message.offset()))
    producer.flush(60)
    assert offsets == [RECORDS * len(CODECS)]


def test_a_new_topic_can_be_made(exchange: Exchange) -> None:
    exchange.admin.create_topics([NewTopic("later", 1, 1)])["later"].result(30)
    exchange.admin.delete_topics(["later"])["later"].result(30)
    # The controller answers when the deletion is committed; a broker's view of the cluster follows.
    wait_until(lambda: "later" not in exchange.admin.list_topics(timeout=30).topics, 30, "still listed")
