"""What is committed becomes the image, and the parts of a node are told in a fixed order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from metadata_records import image_of, led_by, names, partition, setting, topic

from reference_broker.environment import Now
from reference_broker.metadata.image import BROKER
from reference_broker.metadata.node_config import NodeConfig
from reference_broker.metadata.publishing import Publisher
from reference_broker.metadata.snapshot_generator import SnapshotGenerator
from reference_broker.settings.broker_config import BrokerConfig
from reference_broker.wire.messages.begin_transaction_record import BeginTransactionRecord
from reference_broker.wire.messages.end_transaction_record import EndTransactionRecord
from reference_broker.wire.metadata_records import VersionedRecord
from reference_broker.wire.primitives import MalformedRequest

NOW = Now(1_000, 1_000)
SETTINGS = {
    "process.roles": "broker",
    "node.id": "1",
    "listeners": "PLAINTEXT://127.0.0.1:9092",
    "controller.listener.names": "CONTROLLER",
    "controller.quorum.bootstrap.servers": "127.0.0.1:9093",
    "log.dirs": "/data",
}
BEGIN, END = (BeginTransactionRecord(name="x"), 0), (EndTransactionRecord(), 0)


@dataclass(frozen=True)
class Batch:
    last_offset: int
    records: tuple[VersionedRecord, ...]
    epoch: int = 1


@dataclass(frozen=True)
class Place:
    end_offset: int
    epoch: int = 1


@pytest.fixture
def halts() -> list[str]:
    return []


@pytest.fixture
def publisher(halts: list[str]) -> Publisher:
    return Publisher("C", halts.append)


def commit(publisher: Publisher, *records: VersionedRecord) -> None:
    publisher.on_commit([Batch(publisher.image.offset + len(records), records)], NOW)


def test_committed_records_make_the_next_image(publisher: Publisher) -> None:
    commit(publisher, topic("t"), topic("u"))
    assert (names(publisher.image.topics), publisher.image.offset) == (["t", "u"], 1)


def test_parts_are_told_in_the_order_in_which_they_subscribed(publisher: Publisher) -> None:
    told: list[str] = []
    for name in ("first", "second"):
        publisher.subscribe(lambda delta, now, name=name: told.append(name))  # type: ignore[misc]
    commit(publisher, topic("t"))
    assert told == ["first", "second"]


def test_a_part_finds_the_new_image_published_when_it_is_told(publisher: Publisher) -> None:
    seen: list[Any] = []
    publisher.subscribe(lambda delta, now: seen.append(delta.after is publisher.image))
    commit(publisher, topic("t"))
    assert seen == [True]


def test_batches_of_one_commit_are_told_as_one_change(publisher: Publisher) -> None:
    told: list[list[str]] = []
    publisher.subscribe(lambda delta, now: told.append(names(delta.after.topics)))
    publisher.on_commit([Batch(0, (topic("t"),)), Batch(1, (topic("u"),))], NOW)
    assert told == [["t", "u"]]


def test_a_control_batch_moves_the_offset_and_is_not_told(publisher: Publisher) -> None:
    told: list[Any] = []
    publisher.subscribe(lambda delta, now: told.append(delta))
    publisher.on_commit([Batch(4, (), epoch=7)], NOW)
    assert (publisher.image.offset, publisher.image.epoch, told) == (4, 7, [])


def test_a_transaction_over_several_commits_is_told_when_it_ends(publisher: Publisher) -> None:
    told: list[list[str]] = []
    publisher.subscribe(lambda delta, now: told.append(names(delta.after.topics)))
    for records in ((BEGIN, topic("t")), (topic("u"),), (END,)):
        publisher.on_commit([Batch(9, records)], NOW)
    assert told == [["t", "u"]]


def test_a_record_that_cannot_be_applied_halts_the_node_and_leaves_the_image(
    publisher: Publisher, halts: list[str]
) -> None:
    commit(publisher, topic("t"))
    commit(publisher, topic("u"), led_by("missing", 2))
    assert (names(publisher.image.topics), len(halts)) == (["t"], 1)


def test_a_part_that_fails_halts_the_node_with_the_reason(publisher: Publisher, halts: list[str]) -> None:
    def part(delta: Any, now: Now) -> None:
        raise ValueError("no room")

    publisher.subscribe(part)
    commit(publisher, topic("t"))
    assert "part failed on the metadata" in halts[0]
    assert "no room" in halts[0]


def test_after_a_failure_nothing_more_is_published(publisher: Publisher, halts: list[str]) -> None:
    commit(publisher, led_by("missing", 2))
    commit(publisher, topic("t"))
    assert (len(publisher.image.topics), len(halts)) == (0, 1)


def test_a_snapshot_is_published_as_the_difference_to_what_was_there(publisher: Publisher) -> None:
    commit(publisher, topic("t"), topic("u"))
    told: list[list[str]] = []
    publisher.subscribe(lambda delta, now: told.append(names(delta.deleted_topics.values())))
    publisher.on_snapshot(Place(80), tuple(image_of(topic("u")).records()), NOW)
    assert (told, publisher.image.offset) == ([["t"]], 79)


def test_a_large_snapshot_is_published_once_its_last_slice_is_done(publisher: Publisher) -> None:
    records = tuple(image_of(topic("t"), *(partition("t", index) for index in range(2000))).records())
    go_on = publisher.on_snapshot(Place(3000), iter(records), NOW)
    assert go_on is not None
    assert not go_on(NOW)
    assert len(publisher.image.topics) == 0
    while not go_on(NOW):
        pass
    assert len(publisher.image.topics.by_name["t"].partitions) == 2000


def test_a_snapshot_that_cannot_be_read_halts_the_node(publisher: Publisher, halts: list[str]) -> None:
    def torn() -> Iterator[VersionedRecord]:
        yield topic("t")
        raise MalformedRequest("no footer")

    assert publisher.on_snapshot(Place(80), torn(), NOW) is None
    assert "no footer" in halts[0]


def test_dynamic_settings_of_the_own_node_win_over_those_of_all(publisher: Publisher) -> None:
    settings = NodeConfig(BrokerConfig.of(SETTINGS), publisher)
    commit(
        publisher,
        setting("log.retention.ms", "5", "", BROKER),
        setting("log.retention.ms", "6", "1", BROKER),
        setting("log.retention.ms", "7", "2", BROKER),
    )
    assert settings.log_settings("t")["retention.ms"] == "6"


def test_a_setting_that_goes_leaves_the_one_of_the_file(publisher: Publisher) -> None:
    settings = NodeConfig(BrokerConfig.of(SETTINGS | {"num.partitions": "3"}), publisher)
    commit(publisher, setting("num.partitions", "9", "", BROKER))
    commit(publisher, setting("num.partitions", None, "", BROKER))
    assert settings.current.number("num.partitions") == 3


class Snapshots:
    """A store in which a snapshot is always due."""

    def __init__(self) -> None:
        self.written: list[tuple[int, int]] = []

    def is_snapshot_due(self, now: Now) -> bool:
        return True

    def write_snapshot(self, records: Iterable[VersionedRecord], offset: int, epoch: int, now: Now) -> None:
        self.written.append((offset, len(list(records))))


def test_a_snapshot_holds_the_committed_image(publisher: Publisher) -> None:
    store = Snapshots()
    commit(publisher, topic("t"), topic("u"))
    SnapshotGenerator(publisher, store).on_time(NOW)  # type: ignore[arg-type]
    assert store.written == [(1, 2)]


def test_no_snapshot_is_written_within_a_transaction(publisher: Publisher) -> None:
    store = Snapshots()
    commit(publisher, BEGIN, topic("t"))
    SnapshotGenerator(publisher, store).on_time(NOW)  # type: ignore[arg-type]
    assert store.written == []
