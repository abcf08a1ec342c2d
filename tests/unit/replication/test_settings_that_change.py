"""What counts of a log's settings: the topic's over the node's, the cluster's and the file's, from when they change."""

from __future__ import annotations

import pytest
from broker_in_memory import NOW, BrokerInMemory
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_broker.metadata.image import BROKER, TOPIC
from reference_broker.wire.messages.config_record import ConfigRecord

LEVELS = ("topic", "node", "cluster", "file: ms", "file: minutes", "file: hours")
"""Where the time of retention may be set; what stands first counts first."""
MINUTE, HOUR = 60_000, 3_600_000
CHECK_MS = 300_000
"""log.retention.check.interval.ms."""


def configure(broker: BrokerInMemory, level: str, topic_name: str, broker_name: str, value: str | None) -> None:
    """Set one setting at a level, under the name that it has there."""
    node = str(broker.node_config.static.node_id)
    kind, resource, name = {
        "topic": (TOPIC, "t", topic_name),
        "node": (BROKER, node, broker_name),
        "cluster": (BROKER, "", broker_name),
    }[level]
    record = ConfigRecord(resource_type=kind, resource_name=resource, name=name, value=value)
    broker.controller.commit(((record, 0),), broker.now)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(LEVELS), st.integers(1, 1000), max_size=len(LEVELS)))
def test_the_nearest_setting_counts(given_values: dict[str, int]) -> None:
    of_file = {
        "file: ms": "log.retention.ms",
        "file: minutes": "log.retention.minutes",
        "file: hours": "log.retention.hours",
    }
    static = {of_file[level]: str(value) for level, value in given_values.items() if level in of_file}
    broker = BrokerInMemory(settings=static)
    broker.create("t")
    for level in ("topic", "node", "cluster"):
        if level in given_values:
            configure(broker, level, "retention.ms", "log.retention.ms", str(given_values[level]))
    units = {"file: minutes": MINUTE, "file: hours": HOUR}
    expected = next(
        (given_values[level] * units.get(level, 1) for level in LEVELS if level in given_values), 168 * HOUR
    )
    assert broker.partition().log.config.retention_ms == expected


@pytest.mark.parametrize("level", ["topic", "node", "cluster"])
def test_another_time_of_retention_counts_at_the_next_check_and_until_it_is_taken_back(level: str) -> None:
    broker = BrokerInMemory()
    broker.create("t")
    broker.append(b"a")
    broker.now_ms = NOW + CHECK_MS
    broker.partitions.on_time(broker.now)
    assert broker.partition().log.log_start_offset == 0

    configure(broker, level, "retention.ms", "log.retention.ms", "1000")
    broker.now_ms += CHECK_MS
    broker.partitions.on_time(broker.now)
    assert broker.partition().log.log_start_offset == 1

    configure(broker, level, "retention.ms", "log.retention.ms", None)
    broker.append(b"b")
    broker.now_ms += CHECK_MS
    broker.partitions.on_time(broker.now)
    assert broker.partition().log.log_start_offset == 1


@pytest.mark.parametrize("level", ["topic", "node", "cluster"])
def test_another_size_of_retention_counts_at_the_next_check(level: str) -> None:
    broker = BrokerInMemory()
    broker.create("t")
    for _ in range(3):
        broker.append(b"a")
        broker.partition().log.roll(broker.now_ms)
    configure(broker, level, "retention.bytes", "log.retention.bytes", "1")
    broker.now_ms += CHECK_MS
    broker.partitions.on_time(broker.now)
    assert broker.partition().log.log_start_offset == 2


@pytest.mark.parametrize("level", ["topic", "node", "cluster"])
@pytest.mark.parametrize(
    ("topic_name", "broker_name", "value"),
    [("segment.ms", "log.roll.ms", "1"), ("segment.bytes", "log.segment.bytes", "1048576")],
)
def test_another_setting_of_segments_counts_for_the_next_batch(
    level: str, topic_name: str, broker_name: str, value: str
) -> None:
    broker = BrokerInMemory()
    broker.create("t")
    value_of_a_record = b"a" * 400_000
    broker.append(value_of_a_record)
    broker.append(value_of_a_record, timestamp=NOW + 10)
    assert len(broker.partition().log.segments) == 1
    configure(broker, level, topic_name, broker_name, value)
    broker.append(value_of_a_record, timestamp=NOW + 20)
    broker.append(value_of_a_record, timestamp=NOW + 30)
    assert len(broker.partition().log.segments) > 1


@pytest.mark.parametrize("level", ["topic", "node", "cluster"])
def test_a_topic_that_becomes_compacted_is(level: str) -> None:
    broker = BrokerInMemory(settings={"log.cleaner.min.cleanable.ratio": "0.01"})
    broker.create("t")
    for _ in range(5):
        broker.append(b"a")
    broker.partition().log.roll(broker.now_ms)
    broker.append(b"a")
    configure(broker, level, "cleanup.policy", "log.cleanup.policy", "compact")
    for _ in range(30):
        broker.now_ms += 1000
        broker.partitions.on_time(broker.now)
    assert [one.header.records_count for one in broker.partition().log.batches_from(0)] == [1, 1]


def test_deleted_logs_wait_for_as_long_as_the_brokers_setting_says() -> None:
    broker = BrokerInMemory()
    broker.create("t", file_delete_delay_ms="1")
    broker.delete("t")
    broker.now_ms += 30_000
    broker.partitions.on_time(broker.now)
    assert [name for name in broker.disk.list("/data") if name.endswith("-delete")]
    configure(broker, "cluster", "", "log.segment.delete.delay.ms", "1000")
    broker.now_ms += 1000
    broker.partitions.on_time(broker.now)
    assert not [name for name in broker.disk.list("/data") if name.endswith("-delete")]
