"""kafka-dump-log reads every kind of file in a folder that our broker ran on, and complains of none."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

DUMP = "org.apache.kafka.tools.DumpLogSegments"
RECORDS = 4000
COMPLAINT = re.compile(r"mismatch|corrupt|exception|out of order|isvalid: false|could not|fail|unknown", re.IGNORECASE)
INDEXES_FOLLOW_S = 2.5
METADATA, OFFSETS = "__cluster_metadata-0", "__consumer_offsets-*"


@pytest.fixture(scope="module")
def data(new_folder: Callable[..., Any]) -> Path:
    """A data folder with several segments, an idempotent producer, a group and a changed topic, after a clean stop."""
    folder = new_folder(
        **{"log.segment.bytes": "1048576", "log.index.interval.bytes": "4096"},
        **{"metadata.log.max.record.bytes.between.snapshots": "500"},
    )
    folder.format("reference")
    folder.start("reference")
    admin = AdminClient({"bootstrap.servers": folder.bootstrap})
    for made in admin.create_topics([NewTopic(name, 1, 1) for name in ("orders", "gone")]).values():
        made.result(30)
    admin.delete_topics(["gone"])["gone"].result(30)
    producer = Producer(
        {"bootstrap.servers": folder.bootstrap, "enable.idempotence": True, "batch.size": 20_000, "linger.ms": 5}
    )
    for number in range(RECORDS):
        producer.produce("orders", b"v" * 1000, b"key-%d" % number)
    producer.flush(60)
    reader = Consumer(
        {"bootstrap.servers": folder.bootstrap, "group.id": "readers", "auto.offset.reset": "earliest"}
        | {"enable.auto.commit": False}
    )
    reader.subscribe(["orders"])
    assert reader.consume(1, timeout=30)
    reader.commit(offsets=[TopicPartition("orders", 0, 41)], asynchronous=False)
    reader.close()
    time.sleep(INDEXES_FOLLOW_S)
    shutil.copytree(folder.data / "orders-0", folder.data.parent / "live" / "orders-0")
    folder.end("stop")
    path: Path = folder.data
    return path


@pytest.fixture(scope="module")
def dumped(kafka: Any, data: Path) -> Callable[..., str]:
    """Dumps the files that a pattern finds; what the tool says. The same files are dumped once."""

    @cache
    def dump(pattern: str, *options: str) -> str:
        files = sorted(path for path in data.glob(pattern) if path.stat().st_size)
        assert files, f"no file with content is {pattern} in {sorted(data.iterdir())}"
        said: str = kafka.say(DUMP, *options, "--files", ",".join(map(str, files)))
        return said

    return dump


@pytest.mark.parametrize(
    ("pattern", "options"),
    [
        ("orders-0/*.log", ("--deep-iteration",)),
        ("../live/orders-0/*.index", ("--index-sanity-check",)),
        ("../live/orders-0/*.timeindex", ("--index-sanity-check",)),
        ("orders-0/*.index", ("--index-sanity-check",)),
        ("orders-0/*.timeindex", ("--index-sanity-check",)),
        ("orders-0/*.index", ("--verify-index-only",)),
        ("orders-0/*.timeindex", ("--verify-index-only",)),
        ("orders-0/*.snapshot", ()),
        (f"{METADATA}/*.log", ("--cluster-metadata-decoder",)),
        (f"{METADATA}/*.checkpoint", ("--cluster-metadata-decoder",)),
        ("bootstrap.checkpoint", ("--cluster-metadata-decoder",)),
        (f"{OFFSETS}/*.log", ("--offsets-decoder",)),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value).strip("-") or "plain",
)
def test_a_file_is_read_without_complaint(dumped: Callable[..., str], pattern: str, options: tuple[str, ...]) -> None:
    # At the start of each later segment the tool expects offset 0, of Kafka's own files, too.
    told = re.sub(r"^Non-consecutive offsets in .*\n.*\n?", "", dumped(pattern, *options), flags=re.MULTILINE)
    assert COMPLAINT.findall(told) == []


def test_every_record_is_in_a_segment(dumped: Callable[..., str]) -> None:
    told = dumped("orders-0/*.log", "--print-data-log")
    assert [int(at) for at in re.findall(r"^\| offset: (\d+)", told, re.MULTILINE)] == list(range(RECORDS))


def test_the_log_has_several_segments(data: Path) -> None:
    assert len(list((data / "orders-0").glob("*.log"))) == 4


def test_the_last_segment_of_a_running_broker_has_its_indexes(data: Path) -> None:
    live = data.parent / "live" / "orders-0"
    last = max(live.glob("*.log"))
    assert last.with_suffix(".index").stat().st_size > 0
    assert last.with_suffix(".timeindex").stat().st_size > 0


def test_the_producers_snapshot_knows_the_last_sequence(dumped: Callable[..., str]) -> None:
    told = dumped(f"orders-0/{RECORDS:020d}.snapshot")
    assert f"lastSequence: {RECORDS - 1}" in told


@pytest.mark.parametrize(
    "record",
    ["REGISTER_BROKER_RECORD", "TOPIC_RECORD", "PARTITION_RECORD", "REMOVE_TOPIC_RECORD", "FEATURE_LEVEL_RECORD"],
)
def test_the_metadata_log_is_decoded(dumped: Callable[..., str], record: str) -> None:
    assert record in dumped(f"{METADATA}/*.log", "--cluster-metadata-decoder")


@pytest.mark.parametrize(
    "part", ['"group":"readers","topic":"orders","partition":0', '"offset":41', '"protocolType":"consumer"']
)
def test_the_committed_offset_and_the_group_are_decoded(dumped: Callable[..., str], part: str) -> None:
    assert part in dumped(f"{OFFSETS}/*.log", "--offsets-decoder")
