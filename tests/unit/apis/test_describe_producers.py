"""DescribeProducers: who writes to a partition, and each refusal of the header."""

from __future__ import annotations

import pytest
from broker_in_memory import NOW, BrokerInMemory

from reference_broker.apis import describe_producers
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_producers_request import DescribeProducersRequest, TopicRequest
from reference_broker.wire.messages.describe_producers_response import PartitionResponse
from reference_broker.wire.primitives import TopicName


@pytest.fixture
def broker() -> BrokerInMemory:
    broker = BrokerInMemory()
    broker.create("t")
    return broker


def described(broker: BrokerInMemory, topic: str = "t", index: int = 0) -> PartitionResponse:
    request = DescribeProducersRequest(topics=(TopicRequest(name=TopicName(topic), partition_indexes=(index,)),))
    ((answer,),) = [one.partitions for one in broker.call(describe_producers, request).topics]
    found: PartitionResponse = answer
    return found


def test_the_producers_of_a_log_are_told(broker: BrokerInMemory) -> None:
    broker.append(b"a", b"b", producer_id=9, producer_epoch=2, base_sequence=0)
    broker.append(b"c")
    (one,) = described(broker).active_producers
    assert (one.producer_id, one.producer_epoch, one.last_sequence, one.last_timestamp) == (9, 2, 1, NOW + 1)
    assert (one.coordinator_epoch, one.current_txn_start_offset) == (-1, -1)


def test_an_open_transactions_start_is_told(broker: BrokerInMemory) -> None:
    broker.append(b"x")
    broker.append(b"a", producer_id=9, producer_epoch=0, base_sequence=0, is_transactional=True)
    assert described(broker).active_producers[0].current_txn_start_offset == 1


@pytest.mark.parametrize(
    ("topic", "index", "code", "has_text"),
    [
        ("a/b", 0, ErrorCode.INVALID_TOPIC_EXCEPTION, True),
        ("unknown", 0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, True),
        ("t", 1, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, False),
    ],
)
def test_what_is_not_there_is_refused(
    broker: BrokerInMemory, topic: str, index: int, code: ErrorCode, has_text: bool
) -> None:
    answer = described(broker, topic, index)
    assert (answer.error_code, answer.error_message is not None) == (code, has_text)


def test_a_partition_of_another_broker_is_refused(broker: BrokerInMemory) -> None:
    broker.partitions._online.clear()
    assert described(broker).error_code == ErrorCode.NOT_LEADER_OR_FOLLOWER


def test_a_folder_that_failed_is_told(broker: BrokerInMemory) -> None:
    broker.partitions.folders.folders["/data"].fail("broken")
    assert described(broker).error_code == ErrorCode.KAFKA_STORAGE_ERROR
