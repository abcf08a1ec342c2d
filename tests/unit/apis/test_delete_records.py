"""DeleteRecords: what is gone stays gone, and each refusal of the header."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from broker_in_memory import BrokerInMemory

from reference_broker.apis import delete_records
from reference_broker.replication.leader import FollowerFetch
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.delete_records_request import (
    DeleteRecordsPartition,
    DeleteRecordsRequest,
    DeleteRecordsTopic,
)
from reference_broker.wire.messages.register_broker_record import BrokerEndpoint, RegisterBrokerRecord
from reference_broker.wire.primitives import BrokerId, TopicName


@pytest.fixture
def broker() -> BrokerInMemory:
    broker = BrokerInMemory()
    broker.create("t")
    for value in (b"a", b"b", b"c"):
        broker.append(value)
    return broker


def deleted(broker: BrokerInMemory, offset: int, *, topic: str = "t", index: int = 0) -> tuple[int, int]:
    """(error, low watermark)."""
    partition = DeleteRecordsPartition(partition_index=index, offset=offset)
    request = DeleteRecordsRequest(topics=(DeleteRecordsTopic(name=TopicName(topic), partitions=(partition,)),))
    ((answer,),) = [topic.partitions for topic in broker.call(delete_records, request).topics]
    return answer.error_code, answer.low_watermark


def asked(broker: BrokerInMemory, offset: int, timeout_ms: int = 1000) -> Any:
    """What the handler says to one deletion."""
    partition = DeleteRecordsPartition(partition_index=0, offset=offset)
    topic = DeleteRecordsTopic(name=TopicName("t"), partitions=(partition,))
    return broker.call(delete_records, DeleteRecordsRequest(topics=(topic,), timeout_ms=timeout_ms))


def only(response: Any) -> tuple[int, int]:
    ((answer,),) = [topic.partitions for topic in response.topics]
    return answer.error_code, answer.low_watermark


@pytest.fixture
def replicated(broker: BrokerInMemory) -> BrokerInMemory:
    """Broker 2 lives and has a replica whose log starts at 0."""
    endpoint = BrokerEndpoint(name="PLAINTEXT", host="other", port=9092)
    record = RegisterBrokerRecord(broker_id=BrokerId(2), broker_epoch=50, fenced=False, end_points=(endpoint,))
    broker.controller.commit(((record, 3),), broker.now)
    image = broker.controller.image.partition("t", 0)
    assert image is not None
    broker.partition().update(replace(image, replicas=(1, 2), isr=(1, 2), partition_epoch=9), broker.now)
    follow(broker, 0)
    return broker


def follow(broker: BrokerInMemory, log_start: int) -> None:
    """Broker 2 fetches at the end of the log."""
    fetch = FollowerFetch(2, 50, 3, log_start, 0, -1, 1 << 20)
    broker.partition().read_for_follower(fetch, broker.now)


def test_the_answer_waits_until_the_followers_have_followed(replicated: BrokerInMemory) -> None:
    later = asked(replicated, 2)
    assert replicated.waits(later)
    follow(replicated, 2)
    assert only(replicated.wake(later)) == (ErrorCode.NONE, 2)


def test_a_follower_that_does_not_follow_in_time_is_told(replicated: BrokerInMemory) -> None:
    later = asked(replicated, 2)
    assert only(replicated.wake(later, is_late=True)) == (ErrorCode.REQUEST_TIMED_OUT, 0)


def test_the_wait_ends_when_the_leadership_is_lost(replicated: BrokerInMemory) -> None:
    later = asked(replicated, 2)
    replicated.follow()
    assert only(replicated.wake(later)) == (ErrorCode.NOT_LEADER_OR_FOLLOWER, -1)


def test_the_log_starts_where_it_was_told_to(broker: BrokerInMemory) -> None:
    assert deleted(broker, 2) == (0, 2)
    assert broker.partition().log.log_start_offset == 2


def test_minus_one_deletes_all_that_readers_may_see(broker: BrokerInMemory) -> None:
    assert deleted(broker, -1) == (0, 3)


def test_an_offset_below_the_start_brings_nothing_back(broker: BrokerInMemory) -> None:
    deleted(broker, 2)
    assert deleted(broker, 1) == (0, 2)


def test_a_log_start_survives_a_restart(broker: BrokerInMemory) -> None:
    deleted(broker, 2)
    assert broker.restarted().partition().log.log_start_offset == 2


@pytest.mark.parametrize("offset", [4, -2])
def test_an_offset_beyond_the_high_watermark_or_below_minus_one_is_refused(broker: BrokerInMemory, offset: int) -> None:
    assert deleted(broker, offset) == (ErrorCode.OFFSET_OUT_OF_RANGE, -1)


def test_an_internal_topic_is_refused(broker: BrokerInMemory) -> None:
    broker.create_wanted("__consumer_offsets")
    assert deleted(broker, 0, topic="__consumer_offsets") == (ErrorCode.INVALID_TOPIC_EXCEPTION, -1)


@pytest.mark.parametrize(
    ("policy", "code"), [("compact", ErrorCode.POLICY_VIOLATION), ("compact,delete", ErrorCode.NONE)]
)
def test_a_topic_that_is_only_compacted_is_refused(broker: BrokerInMemory, policy: str, code: ErrorCode) -> None:
    broker.create("compacted", cleanup_policy=policy)
    assert deleted(broker, 0, topic="compacted")[0] == code


@pytest.mark.parametrize(("topic", "index"), [("unknown", 0), ("t", 1), ("__consumer_offsets", 0)])
def test_an_unknown_partition_is_refused(broker: BrokerInMemory, topic: str, index: int) -> None:
    assert deleted(broker, 0, topic=topic, index=index) == (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, -1)


def test_only_the_leader_deletes(broker: BrokerInMemory) -> None:
    broker.follow()
    assert deleted(broker, 0) == (ErrorCode.NOT_LEADER_OR_FOLLOWER, -1)


def test_a_folder_that_failed_is_told(broker: BrokerInMemory) -> None:
    broker.partitions.folders.folders["/data"].fail("broken")
    assert deleted(broker, 0) == (ErrorCode.KAFKA_STORAGE_ERROR, -1)
