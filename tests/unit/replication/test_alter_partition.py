"""ISR changes on their way to the controller."""

from __future__ import annotations

from typing import Any

from reference_broker.effects import PeerLost
from reference_broker.environment import Now
from reference_broker.replication.alter_partition import RETRY_MS, AlterPartitions
from reference_broker.replication.isr import IsrChange
from reference_broker.replication.local_broker import LocalBroker
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_partition_response import (
    AlterPartitionResponse,
    PartitionData,
    TopicData,
)
from reference_broker.wire.primitives import Uuid

TOPIC_ID = Uuid(b"t" * 16)


class Channel:
    """Keeps what was asked, to be answered by the test."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.then: Any = None

    def request(self, api_key: Any, message: Any, then: Any, now: Now) -> None:
        self.asked.append([one.partition_index for topic in message.topics for one in topic.partitions])
        self.then = then

    def answer(self, *indexes: int, code: ErrorCode = ErrorCode.NONE) -> None:
        partitions = tuple(PartitionData(partition_index=index) for index in indexes)
        topic = TopicData(topic_id=TOPIC_ID, partitions=partitions)
        self.then(AlterPartitionResponse(error_code=code, topics=(topic,)), at(0))


def at(monotonic_ms: int) -> Now:
    return Now(0, monotonic_ms)


def submit(changes: AlterPartitions, index: int, told: list[int]) -> bool:
    change = IsrChange((TOPIC_ID, index), 0, 0, ((1, 100),))
    return changes.submit(change, lambda altered, now: told.append(altered.partition_index), at(0))


def test_changes_that_come_while_one_is_on_its_way_go_together_with_the_next() -> None:
    channel = Channel()
    changes, told = AlterPartitions(LocalBroker(1), channel), []
    for index in (0, 1, 2):
        submit(changes, index, told)
    channel.answer(0)
    assert (channel.asked, told) == ([[0], [1, 2]], [0])


def test_a_partition_has_one_change_at_a_time() -> None:
    channel = Channel()
    changes, told = AlterPartitions(LocalBroker(1), channel), []
    assert submit(changes, 0, told)
    assert not submit(changes, 0, told)


def test_a_change_that_was_not_answered_is_sent_again_after_a_while() -> None:
    channel = Channel()
    changes, told = AlterPartitions(LocalBroker(1), channel), []
    submit(changes, 0, told)
    channel.then(PeerLost("gone"), at(10))
    assert changes.next_deadline_ms == 10 + RETRY_MS
    changes.on_time(at(10 + RETRY_MS))
    assert channel.asked == [[0], [0]]


def test_a_stale_broker_epoch_has_the_change_sent_again() -> None:
    channel = Channel()
    changes, told = AlterPartitions(LocalBroker(1), channel), []
    submit(changes, 0, told)
    channel.answer(code=ErrorCode.STALE_BROKER_EPOCH)
    changes.on_time(at(RETRY_MS))
    assert (channel.asked, told) == ([[0], [0]], [])


def test_a_partition_that_asks_again_when_it_is_answered_is_sent_once() -> None:
    channel = Channel()
    changes = AlterPartitions(LocalBroker(1), channel)
    told: list[int] = []
    change = IsrChange((TOPIC_ID, 0), 0, 0, ((1, 100),))
    changes.submit(change, lambda altered, now: submit(changes, 0, told) and None, at(0))
    submit(changes, 1, told)
    channel.answer(0)
    assert channel.asked == [[0], [1, 0]]
