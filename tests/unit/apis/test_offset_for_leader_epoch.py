"""OffsetForLeaderEpoch: where epochs ended, and each refusal of the header."""

from __future__ import annotations

import pytest
from broker_in_memory import BrokerInMemory, codes

from reference_broker.apis import offset_for_leader_epoch
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.offset_for_leader_epoch_request import (
    OffsetForLeaderEpochRequest,
    OffsetForLeaderPartition,
    OffsetForLeaderTopic,
)
from reference_broker.wire.messages.offset_for_leader_epoch_response import OffsetForLeaderEpochResponse
from reference_broker.wire.primitives import TopicName


@pytest.fixture
def broker() -> BrokerInMemory:
    broker = BrokerInMemory()
    broker.create("t")
    broker.append(b"a", b"b")
    return broker


def asked(
    broker: BrokerInMemory, epoch: int, *, current: int = -1, topic: str = "t", index: int = 0, version: int = 4
) -> OffsetForLeaderEpochResponse:
    partition = OffsetForLeaderPartition(partition=index, current_leader_epoch=current, leader_epoch=epoch)
    request = OffsetForLeaderEpochRequest(
        topics=(OffsetForLeaderTopic(topic=TopicName(topic), partitions=(partition,)),)
    )
    response: OffsetForLeaderEpochResponse = broker.call(offset_for_leader_epoch, request, version)
    return response


def end(response: OffsetForLeaderEpochResponse) -> tuple[int, int, int]:
    ((answer,),) = [topic.partitions for topic in response.topics]
    return answer.error_code, answer.leader_epoch, answer.end_offset


def test_the_current_epoch_ends_with_the_log(broker: BrokerInMemory) -> None:
    assert end(asked(broker, 0)) == (0, 0, 2)


def test_an_older_epoch_ended_where_the_next_began(broker: BrokerInMemory) -> None:
    broker = broker.restarted()
    broker.append(b"c")
    epoch = broker.partition().leader_epoch
    assert epoch > 0
    assert [end(asked(broker, one)) for one in (0, epoch - 1, epoch)] == [(0, 0, 2), (0, 0, 2), (0, epoch, 3)]


@pytest.mark.parametrize("epoch", [1, 100, -1])
def test_an_unknown_epoch_has_no_end(broker: BrokerInMemory, epoch: int) -> None:
    assert end(asked(broker, epoch)) == (0, -1, -1)


@pytest.mark.parametrize(
    ("current", "code"), [(-2, ErrorCode.FENCED_LEADER_EPOCH), (7, ErrorCode.UNKNOWN_LEADER_EPOCH)]
)
def test_another_current_epoch_is_refused(broker: BrokerInMemory, current: int, code: ErrorCode) -> None:
    assert end(asked(broker, 0, current=current)) == (code, -1, -1)


@pytest.mark.parametrize(("topic", "index"), [("unknown", 0), ("t", 1)])
def test_an_unknown_partition_is_refused(broker: BrokerInMemory, topic: str, index: int) -> None:
    assert codes(asked(broker, 0, topic=topic, index=index)) == [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]


def test_only_the_leader_answers(broker: BrokerInMemory) -> None:
    broker.follow()
    assert codes(asked(broker, 0)) == [ErrorCode.NOT_LEADER_OR_FOLLOWER]


def test_a_folder_that_failed_is_told(broker: BrokerInMemory) -> None:
    broker.disk.is_broken = True
    broker.partitions.folders.by_id(broker.folders["/data"]).fail("broken")  # type: ignore[union-attr]
    assert codes(asked(broker, 0)) == [ErrorCode.KAFKA_STORAGE_ERROR]
