"""ListOffsets: ends, times and the special timestamps, and each refusal of the header."""

from __future__ import annotations

from typing import Any

import pytest
from broker_in_memory import NOW, BrokerInMemory, codes

from reference_broker.apis import list_offsets
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.list_offsets_request import (
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
)
from reference_broker.wire.messages.list_offsets_response import ListOffsetsPartitionResponse, ListOffsetsResponse
from reference_broker.wire.primitives import BrokerId, TopicName

LATEST, EARLIEST, MAX_TIMESTAMP, EARLIEST_LOCAL, LATEST_TIERED, EARLIEST_PENDING = -1, -2, -3, -4, -5, -6


@pytest.fixture
def broker() -> BrokerInMemory:
    broker = BrokerInMemory()
    broker.create("t", partitions=2)
    return broker


def asked(
    broker: BrokerInMemory,
    timestamp: int,
    version: int = 11,
    *,
    topic: str = "t",
    index: int = 0,
    epoch: int = -1,
    times: int = 1,
    **fields: Any,
) -> ListOffsetsResponse:
    partition = ListOffsetsPartition(partition_index=index, timestamp=timestamp, current_leader_epoch=epoch)
    topics = (ListOffsetsTopic(name=TopicName(topic), partitions=(partition,) * times),)
    request = ListOffsetsRequest(topics=topics, **({"replica_id": BrokerId(-1)} | fields))
    response: ListOffsetsResponse = broker.call(list_offsets, request, version)
    return response


def only(response: ListOffsetsResponse) -> ListOffsetsPartitionResponse:
    ((answer,),) = [topic.partitions for topic in response.topics]
    return answer


def found(response: ListOffsetsResponse) -> tuple[int, int, int]:
    answer = only(response)
    assert not answer.error_code
    return answer.offset, answer.timestamp, answer.leader_epoch


def test_the_latest_offset_is_the_high_watermark(broker: BrokerInMemory) -> None:
    broker.append(b"a", b"b")
    assert found(asked(broker, LATEST)) == (2, -1, 0)


def test_the_latest_offset_for_committed_readers_is_the_last_stable_one(broker: BrokerInMemory) -> None:
    broker.append(b"a")
    broker.append(b"b", producer_id=7, producer_epoch=0, base_sequence=0, is_transactional=True)
    assert found(asked(broker, LATEST, isolation_level=1)) == (1, -1, 0)
    assert found(asked(broker, LATEST, isolation_level=0)) == (2, -1, 0)


@pytest.mark.parametrize("timestamp", [EARLIEST, EARLIEST_LOCAL])
def test_the_earliest_offset_is_the_logs_start(broker: BrokerInMemory, timestamp: int) -> None:
    broker.append(b"a")
    broker.append(b"b")
    broker.partition().delete_records(1)
    assert found(asked(broker, timestamp)) == (1, -1, 0)


@pytest.mark.parametrize("timestamp", [LATEST_TIERED, EARLIEST_PENDING])
def test_nothing_is_in_remote_storage(broker: BrokerInMemory, timestamp: int) -> None:
    broker.append(b"a")
    assert found(asked(broker, timestamp)) == (-1, -1, -1)


def test_the_first_record_with_the_largest_timestamp_is_found(broker: BrokerInMemory) -> None:
    for timestamp in (5, 9, 9, 7):
        broker.append(b"a", timestamp=NOW + timestamp)
    assert found(asked(broker, MAX_TIMESTAMP)) == (1, NOW + 9, 0)


def test_the_largest_timestamp_may_be_that_of_a_deleted_record(broker: BrokerInMemory) -> None:
    for timestamp in (9, 5):
        broker.append(b"a", timestamp=NOW + timestamp)
    broker.partition().log.raise_log_start(1)
    assert found(asked(broker, MAX_TIMESTAMP)) == (0, NOW + 9, 0)


def test_the_largest_timestamp_may_be_none(broker: BrokerInMemory) -> None:
    broker.append(b"a", timestamp=-1)
    assert found(asked(broker, MAX_TIMESTAMP)) == (0, -1, 0)


def test_an_empty_log_has_no_largest_timestamp(broker: BrokerInMemory) -> None:
    assert found(asked(broker, MAX_TIMESTAMP)) == (-1, -1, -1)


@pytest.mark.parametrize(("timestamp", "offset"), [(0, 0), (NOW + 10, 1), (NOW + 11, 2), (NOW + 20, 2)])
def test_the_first_record_at_a_time_or_later_is_found(broker: BrokerInMemory, timestamp: int, offset: int) -> None:
    for at in range(3):
        broker.append(b"a", timestamp=NOW + 10 * at)
    assert found(asked(broker, timestamp)) == (offset, NOW + 10 * offset, 0)


def test_no_record_is_as_late_as_that(broker: BrokerInMemory) -> None:
    broker.append(b"a")
    assert found(asked(broker, NOW + 1)) == (-1, -1, -1)


def test_a_record_that_may_not_be_seen_is_not_found(broker: BrokerInMemory) -> None:
    broker.append(b"a", producer_id=7, producer_epoch=0, base_sequence=0, is_transactional=True)
    assert found(asked(broker, NOW, isolation_level=1)) == (-1, -1, -1)


def test_leader_epochs_are_told_from_version_4_on(broker: BrokerInMemory) -> None:
    broker.append(b"a")
    assert [found(asked(broker, LATEST, version))[2] for version in (3, 4)] == [-1, 0]


def test_a_partition_that_is_asked_for_twice_is_refused(broker: BrokerInMemory) -> None:
    assert codes(asked(broker, LATEST, times=2)) == [ErrorCode.INVALID_REQUEST]


@pytest.mark.parametrize(
    ("timestamp", "version"),
    [(MAX_TIMESTAMP, 6), (EARLIEST_LOCAL, 7), (LATEST_TIERED, 8), (EARLIEST_PENDING, 10), (-7, 11), (-100, 1)],
)
def test_a_special_timestamp_is_refused_below_its_version(broker: BrokerInMemory, timestamp: int, version: int) -> None:
    answer = only(asked(broker, timestamp, version))
    assert (answer.error_code, answer.offset, answer.timestamp) == (ErrorCode.UNSUPPORTED_VERSION, -1, -1)


@pytest.mark.parametrize(("topic", "index"), [("unknown", 0), ("t", 2)])
def test_an_unknown_partition_is_refused(broker: BrokerInMemory, topic: str, index: int) -> None:
    assert codes(asked(broker, LATEST, topic=topic, index=index)) == [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]


@pytest.mark.parametrize(("epoch", "code"), [(-2, ErrorCode.FENCED_LEADER_EPOCH), (1, ErrorCode.UNKNOWN_LEADER_EPOCH)])
def test_another_leader_epoch_is_refused(broker: BrokerInMemory, epoch: int, code: ErrorCode) -> None:
    assert codes(asked(broker, LATEST, epoch=epoch)) == [code]


def test_only_the_leader_answers_unless_someone_debugs(broker: BrokerInMemory) -> None:
    broker.follow()
    assert codes(asked(broker, LATEST)) == [ErrorCode.NOT_LEADER_OR_FOLLOWER]
    assert codes(asked(broker, LATEST, replica_id=BrokerId(-2))) == [ErrorCode.NONE]


@pytest.mark.parametrize(
    ("timestamp", "version", "code"),
    [
        (LATEST, 5, ErrorCode.OFFSET_NOT_AVAILABLE),
        (NOW, 5, ErrorCode.OFFSET_NOT_AVAILABLE),
        (MAX_TIMESTAMP, 7, ErrorCode.OFFSET_NOT_AVAILABLE),
        (LATEST, 4, ErrorCode.LEADER_NOT_AVAILABLE),
        (NOW, 4, ErrorCode.LEADER_NOT_AVAILABLE),
    ],
)
def test_a_leader_that_is_new_does_not_know_the_end_yet(
    broker: BrokerInMemory, timestamp: int, version: int, code: ErrorCode
) -> None:
    broker.append(b"a")
    partition = broker.partition()
    partition.log.high_watermark, partition.led.epoch_start_offset = 0, 1
    assert codes(asked(broker, timestamp, version)) == [code]
    assert codes(asked(broker, EARLIEST, version)) == [ErrorCode.NONE]


def test_a_folder_that_failed_is_told(broker: BrokerInMemory) -> None:
    broker.append(b"a")
    broker.disk.is_broken = True
    assert codes(asked(broker, NOW)) == [ErrorCode.KAFKA_STORAGE_ERROR]


def test_an_isolation_level_that_does_not_exist_is_a_servers_error(broker: BrokerInMemory) -> None:
    assert codes(asked(broker, LATEST, isolation_level=3)) == [ErrorCode.UNKNOWN_SERVER_ERROR]
