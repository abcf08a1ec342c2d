"""ListOffsets (key 2) finds offsets by time, and the first and last offsets of a log.

**Claim** The earliest and latest offsets, and the first record at or after a time, are those that reading the whole log
would find; topics and partitions that do not exist are refused.
**Why it matters** Consumers start at the offset in this answer.
**Kafka says** Protocol guide, ListOffsets; KIP-79 (times), KIP-207 (epochs), KIP-734 (max timestamp), KIP-405 and
KIP-1005 (tiers), KIP-1023 (upload).
**Cannot see** Tiered storage; open transactions; several replicas.
**Rejects** tests/plants/list_offsets_wrong_by_one.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import (
    T0,
    all_versions,
    delete_records,
    list_offsets,
    produce_quietly,
    variants,
    versions,
)
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.list_offsets_request import (
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
)
from reference_broker.wire.messages.list_offsets_response import ListOffsetsPartitionResponse, ListOffsetsResponse
from reference_broker.wire.primitives import BrokerId, TopicName

pytestmark = [
    pytest.mark.feature("ListOffsets"),
    pytest.mark.kip(79, 207, 734, 405, 1005, 1023),
    pytest.mark.document(
        "Protocol guide, ListOffsets", "https://kafka.apache.org/protocol.html#The_Messages_ListOffsets"
    ),
]

LATEST, EARLIEST, LARGEST, EARLIEST_LOCAL, LATEST_TIERED, EARLIEST_PENDING = -1, -2, -3, -4, -5, -6
FIRST_VERSION = {LARGEST: 7, EARLIEST_LOCAL: 8, LATEST_TIERED: 9, EARLIEST_PENDING: 11}


def only(answer: ListOffsetsResponse) -> ListOffsetsPartitionResponse:
    ((found,),) = (one.partitions for one in answer.topics)
    return found


def filled(exchange: Exchange, **config: str) -> TopicName:
    """A topic with records at T0 + 0, 1, 30, 31, 20, 21 (ms): batches of two, the third older than the second."""
    topic = exchange.topic(**config)
    for start in (0, 30, 20):
        produce_quietly(exchange, topic, "a", "b", timestamps=[T0 + start, T0 + start + 1])
    return topic


@all_versions(1, 11)
@pytest.mark.parametrize(("timestamp", "offset"), [(LATEST, 6), (EARLIEST, 0)], ids=["latest", "earliest"])
def test_the_ends_are_found(exchange: Exchange, version: int, timestamp: int, offset: int) -> None:
    """-1 finds the end of what consumers can read, -2 the log start offset."""
    answer = exchange.ask(f"timestamp {timestamp}", list_offsets(filled(exchange), timestamp), version)

    assert (only(answer).error_code, only(answer).offset) == (ErrorCode.NONE, offset)


@pytest.mark.parametrize("timestamp", FIRST_VERSION)
@versions(1, 6, 7, 8, 9, 10, 11)
def test_special_timestamps(exchange: Exchange, version: int, timestamp: int) -> None:
    """The special timestamps -3 to -6 are supported from their versions on."""
    answer = exchange.ask(f"timestamp {timestamp}", list_offsets(filled(exchange), timestamp), version)

    found = only(answer)
    if version < FIRST_VERSION[timestamp]:
        assert (found.error_code, found.offset) == (ErrorCode.UNSUPPORTED_VERSION, -1)
    else:
        wanted = {LARGEST: (3, T0 + 31), EARLIEST_LOCAL: (0, -1)}.get(timestamp, (-1, -1))
        assert (found.error_code, (found.offset, found.timestamp)) == (ErrorCode.NONE, wanted)


@pytest.mark.parametrize("timestamp", FIRST_VERSION)
def test_special_timestamps_of_an_empty_partition(exchange: Exchange, timestamp: int) -> None:
    """An empty partition has no max timestamp and nothing in remote storage; its earliest local offset is 0."""
    request = list_offsets(exchange.topic(), timestamp)
    answer = exchange.ask(f"timestamp {timestamp} of an empty partition", request, 11)

    assert (only(answer).error_code, only(answer).offset) == (ErrorCode.NONE, 0 if timestamp == EARLIEST_LOCAL else -1)


@pytest.mark.parametrize("timestamp", [-7, -100, -9223372036854775808])
@versions(1, 7, 11)
def test_unknown_special_timestamps(exchange: Exchange, version: int, timestamp: int) -> None:
    """Other negative timestamps are refused in all versions."""
    answer = exchange.ask(f"timestamp {timestamp}", list_offsets(filled(exchange), timestamp), version)

    assert (only(answer).error_code, only(answer).offset) == (ErrorCode.UNSUPPORTED_VERSION, -1)


@pytest.mark.parametrize(
    ("after_ms", "offset"), [(-5, 0), (0, 0), (1, 1), (2, 2), (22, 2), (30, 2), (31, 3), (32, -1), (10**10, -1)]
)
@versions(1, 4, 6, 11)
def test_the_first_record_at_or_after_a_time(exchange: Exchange, version: int, after_ms: int, offset: int) -> None:
    """A time finds the first offset whose record is not older, or -1 if there is none."""
    answer = exchange.ask(f"time {after_ms} ms after the first", list_offsets(filled(exchange), T0 + after_ms), version)

    assert (only(answer).error_code, only(answer).offset) == (ErrorCode.NONE, offset)


def test_time_zero(exchange: Exchange) -> None:
    """Time 0 finds the first record."""
    answer = exchange.ask("time 0", list_offsets(filled(exchange), 0), 11)

    assert only(answer).offset == 0


def test_times_in_an_empty_partition(exchange: Exchange) -> None:
    """In an empty partition no record is found for a time."""
    answer = exchange.ask("time 0 in an empty partition", list_offsets(exchange.topic(), 0), 11)

    assert (only(answer).error_code, only(answer).offset) == (ErrorCode.NONE, -1)


def test_deleted_records_are_not_found(exchange: Exchange) -> None:
    """After records were deleted, neither a time nor -2 finds them."""
    topic = filled(exchange)
    exchange.quietly(delete_records(topic, 3))
    for words, timestamp, offset in (("the earliest", EARLIEST, 3), ("time 0", 0, 3), ("the latest", LATEST, 6)):
        assert only(exchange.ask(f"{words}, after 3 were deleted", list_offsets(topic, timestamp), 11)).offset == offset


@versions(2, 6, 11)
@pytest.mark.parametrize("isolation", [0, 1])
def test_isolation_levels(exchange: Exchange, version: int, isolation: int) -> None:
    """Without transactions both isolation levels find the same latest offset."""
    answer = exchange.ask(
        f"isolation level {isolation}", list_offsets(filled(exchange), LATEST, isolation=isolation), version
    )

    assert only(answer).offset == 6


@versions(2, 11)
def test_an_unknown_isolation_level_is_refused(exchange: Exchange, version: int) -> None:
    """An isolation level other than 0 and 1 is refused."""
    answer = exchange.ask("isolation level 5", list_offsets(filled(exchange), LATEST, isolation=5), version)

    assert only(answer).error_code != ErrorCode.NONE


@versions(1, 4, 6, 11)
def test_an_unknown_topic_is_refused(exchange: Exchange, version: int) -> None:
    """A topic that does not exist is refused."""
    answer = exchange.ask("a topic that is not there", list_offsets(exchange.name("nowhere"), LATEST), version)

    assert only(answer).error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


@pytest.mark.parametrize("partition", [1, -1])
@versions(1, 6, 11)
def test_an_unknown_partition_is_refused(exchange: Exchange, version: int, partition: int) -> None:
    """A partition that does not exist is refused."""
    answer = exchange.ask(
        f"partition {partition} of one", list_offsets(filled(exchange), LATEST, partition=partition), version
    )

    assert only(answer).error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


@pytest.mark.parametrize(("epoch", "code"), [(-1, 0), (0, 0), (3, ErrorCode.UNKNOWN_LEADER_EPOCH), (-5, None)])
@versions(4, 6, 11)
def test_a_leader_epoch_is_checked(exchange: Exchange, version: int, epoch: int, code: int | None) -> None:
    """A request with the current leader epoch, or with none, is served; a newer epoch is refused as unknown."""
    answer = exchange.ask(f"leader epoch {epoch}", list_offsets(filled(exchange), LATEST, epoch=epoch), version)

    assert code is None or only(answer).error_code == code


@pytest.mark.parametrize("replica", [-2, 0, 77])
@versions(1, 6, 11)
def test_who_asks(exchange: Exchange, version: int, replica: int) -> None:
    """A request with the replica id of a broker, or with the debugging id -2, is answered like any other."""
    request = list_offsets(filled(exchange), LATEST, replica=replica)
    answer = exchange.ask(f"in the name of {replica}", request, version)

    assert (only(answer).error_code, only(answer).offset) == (ErrorCode.NONE, 6)


@variants("times", the_same=(LATEST, LATEST), different=(LATEST, EARLIEST))
@versions(1, 6, 11)
def test_a_partition_named_twice_is_refused(exchange: Exchange, version: int, times: tuple[int, int]) -> None:
    """A partition that is named twice in a request is refused."""
    topic = filled(exchange)
    twice = tuple(ListOffsetsPartition(partition_index=0, timestamp=one) for one in times)
    request = ListOffsetsRequest(
        replica_id=BrokerId(-1), topics=(ListOffsetsTopic(name=topic, partitions=twice),), timeout_ms=1_000
    )
    answer = exchange.ask("partition 0 twice", request, version)

    assert {one.error_code for one in answer.topics[0].partitions} == {ErrorCode.INVALID_REQUEST}


@versions(1, 6, 11)
def test_no_topics_get_an_empty_answer(exchange: Exchange, version: int) -> None:
    """A request without topics is answered without topics."""
    assert exchange.ask("no topics", ListOffsetsRequest(replica_id=BrokerId(-1)), version).topics == ()


def test_log_append_time_is_found(exchange: Exchange) -> None:
    """With LogAppendTime, lookups by time use the broker's timestamps."""
    topic = exchange.topic(message_timestamp_type="LogAppendTime")
    produce_quietly(exchange, topic, "a", "b")
    assert only(exchange.ask("a time in 2023", list_offsets(topic, T0), 11)).offset == 0
    found = only(exchange.ask("the largest timestamp", list_offsets(topic, LARGEST), 11))
    assert (found.error_code, found.offset) == (ErrorCode.NONE, 0)
    assert found.timestamp > T0
