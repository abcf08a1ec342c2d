"""OffsetForLeaderEpoch (key 23) finds the offset at which a leader epoch ended.

**Claim** The answer for the current leader epoch is the log end offset. An epoch that does not exist has no end offset
(-1). A request whose current leader epoch is too new is refused.
**Why it matters** Consumers and followers use it to find what was lost when a leader changed.
**Kafka says** Protocol guide, OffsetForLeaderEpoch; KIP-101, KIP-320.
**Cannot see** Several epochs with other leaders.
**Rejects** tests/plants/ends_an_epoch_too_early.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import produce_quietly, versions
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.offset_for_leader_epoch_request import (
    OffsetForLeaderEpochRequest,
    OffsetForLeaderPartition,
    OffsetForLeaderTopic,
)
from reference_broker.wire.messages.offset_for_leader_epoch_response import (
    EpochEndOffset,
    OffsetForLeaderEpochResponse,
)
from reference_broker.wire.primitives import BrokerId, TopicName

pytestmark = [
    pytest.mark.feature("OffsetForLeaderEpoch"),
    pytest.mark.kip(101, 320),
    pytest.mark.document(
        "Protocol guide, OffsetForLeaderEpoch",
        "https://kafka.apache.org/protocol.html#The_Messages_OffsetForLeaderEpoch",
    ),
]


def request(
    topic: str, epoch: int, *, partition: int = 0, current: int = -1, replica: int = -1
) -> OffsetForLeaderEpochRequest:
    wanted = OffsetForLeaderPartition(partition=partition, current_leader_epoch=current, leader_epoch=epoch)
    return OffsetForLeaderEpochRequest(
        replica_id=BrokerId(replica),
        topics=(OffsetForLeaderTopic(topic=TopicName(topic), partitions=(wanted,)),),
    )


def only(answer: OffsetForLeaderEpochResponse) -> EpochEndOffset:
    ((found,),) = (one.partitions for one in answer.topics)
    return found


def filled(exchange: Exchange) -> TopicName:
    topic = exchange.topic()
    produce_quietly(exchange, topic, "a", "b")
    return topic


@versions(2, 3, 4)
def test_the_present_epoch_ends_at_the_end(exchange: Exchange, version: int) -> None:
    """The current epoch has not ended: its end offset is the log end offset."""
    answer = exchange.ask("epoch 0", request(filled(exchange), 0), version)

    assert (only(answer).error_code, only(answer).leader_epoch, only(answer).end_offset) == (ErrorCode.NONE, 0, 2)


@pytest.mark.parametrize("epoch", [5, -1, -2])
@versions(2, 3, 4)
def test_an_epoch_that_never_was(exchange: Exchange, version: int, epoch: int) -> None:
    """An epoch above the current one, or -1, has no end offset. (The answer to -2 is an accident of Kafka.)"""
    answer = exchange.ask(f"epoch {epoch}", request(filled(exchange), epoch), version)

    assert only(answer).error_code == ErrorCode.NONE
    assert epoch == -2 or (only(answer).leader_epoch, only(answer).end_offset) == (-1, -1)


@versions(2, 4)
def test_an_empty_partition(exchange: Exchange, version: int) -> None:
    """In an empty partition the current epoch ends at offset 0."""
    answer = exchange.ask("epoch 0 of an empty partition", request(exchange.topic(), 0), version)

    assert (only(answer).error_code, only(answer).leader_epoch, only(answer).end_offset) == (ErrorCode.NONE, 0, 0)


@pytest.mark.parametrize(("current", "code"), [(0, ErrorCode.NONE), (4, ErrorCode.UNKNOWN_LEADER_EPOCH)])
@versions(2, 3, 4)
def test_the_clients_epoch_is_checked(exchange: Exchange, version: int, current: int, code: ErrorCode) -> None:
    """A request with the current leader epoch is served; a newer epoch is refused as unknown."""
    answer = exchange.ask(f"leader epoch {current}", request(filled(exchange), 0, current=current), version)

    assert only(answer).error_code == code


@versions(2, 4)
def test_an_unknown_topic_is_refused(exchange: Exchange, version: int) -> None:
    """A topic that does not exist is refused."""
    answer = exchange.ask("a topic that is not there", request(exchange.name("nowhere"), 0), version)

    assert only(answer).error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


@pytest.mark.parametrize("partition", [1, -1])
@versions(2, 4)
def test_an_unknown_partition_is_refused(exchange: Exchange, version: int, partition: int) -> None:
    """A partition that does not exist is refused."""
    answer = exchange.ask(f"partition {partition}", request(filled(exchange), 0, partition=partition), version)

    assert only(answer).error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


@pytest.mark.parametrize("replica", [-2, 77])
def test_who_asks(exchange: Exchange, replica: int) -> None:
    """Requests with the replica id of a broker, or with the debugging id -2, are answered like others."""
    answer = exchange.ask(f"in the name of {replica}", request(filled(exchange), 0, replica=replica), 4)

    assert only(answer).end_offset == 2


@versions(2, 4)
def test_no_topics_get_an_empty_answer(exchange: Exchange, version: int) -> None:
    """A request without topics is answered without topics."""
    assert exchange.ask("no topics", OffsetForLeaderEpochRequest(replica_id=BrokerId(-1)), version).topics == ()
