"""What flush.messages asks for is flushed as an effect; what it is for is not acknowledged, or shown, before that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from broker_in_memory import BrokerInMemory, batch, codes
from memory_disk import MemoryDisk

from reference_broker.apis import produce
from reference_broker.effects import Flushable
from reference_broker.environment import Now
from reference_broker.replication.partition import Partition
from reference_broker.waiting import Later
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData
from reference_broker.wire.primitives import TopicName

Then = Callable[[OSError | None, Now], None]


class Held:
    """A broker whose flushes wait until `flush`."""

    def __init__(self, **configs: str) -> None:
        self.broker = BrokerInMemory()
        self._waiting: list[tuple[Sequence[Flushable], Then]] = []
        self.broker.outbox.flush = lambda targets, then: self._waiting.append((targets, then))  # type: ignore[method-assign]
        self.broker.create("t", **configs)

    @property
    def partition(self) -> Partition:
        return self.broker.partition()

    def flush(self, error: OSError | None = None, *, is_gone: bool = False) -> None:
        """Flushes end; nothing is written where the log's folder is gone."""
        waiting, self._waiting = self._waiting, []
        for targets, then in waiting:
            for one in () if is_gone else targets:
                one.flush()
            then(error, self.broker.now)
        while self.broker.touched:
            self.broker.touched.pop(0).wake(self.broker.now)

    def produce(self, acks: int) -> Any:
        data = PartitionProduceData(index=0, records=batch(b"a"))
        topic = TopicProduceData(name=TopicName("t"), partition_data=(data,))
        return self.broker.call(produce, ProduceRequest(acks=acks, timeout_ms=1000, topic_data=(topic,)), 12)


def answer(later: Any) -> list[list[ErrorCode]]:
    """What a request that waited was answered; nothing while it waits."""
    assert isinstance(later, Later)
    found: list[Any] = []
    later.then(found.append)
    return [codes(one) for one in found]


@pytest.mark.parametrize("acks", [1, -1])
def test_a_record_is_acknowledged_when_it_is_flushed(acks: int) -> None:
    held = Held(flush_messages="1")
    later = held.produce(acks)
    before = answer(later)
    held.flush()
    assert (before, answer(later)) == ([], [[ErrorCode.NONE]])


def test_a_record_is_shown_when_it_is_flushed() -> None:
    held = Held(flush_messages="1")
    held.produce(1)
    before = held.partition.high_watermark
    held.flush()
    assert (before, held.partition.high_watermark) == (0, 1)


def test_only_every_so_many_records_wait_for_a_flush() -> None:
    held = Held(flush_messages="2")
    assert [isinstance(held.produce(1), Later) for _ in range(2)] == [False, True]


def test_records_that_come_during_a_flush_wait_for_the_next_one() -> None:
    held = Held(flush_messages="1")
    first, second = held.produce(1), held.produce(1)
    held.flush()
    told = answer(first), answer(second)
    held.flush()
    # The first flush is only of what was there when it was begun.
    assert (told, answer(second)) == (([[ErrorCode.NONE]], []), [[ErrorCode.NONE]])


def test_a_flush_that_fails_refuses_who_waits_for_it() -> None:
    held = Held(flush_messages="1")
    later = held.produce(1)
    held.flush(OSError("the disk is broken"))
    assert answer(later) == [[ErrorCode.KAFKA_STORAGE_ERROR]]


def test_without_the_setting_nothing_is_flushed() -> None:
    held = Held()
    assert codes(held.produce(-1)) == [ErrorCode.NONE]


def test_what_is_flushed_survives_a_loss_of_power_with_the_topics_id() -> None:
    held = Held(flush_messages="1")
    held.produce(1)
    held.flush()
    disk = held.broker.disk
    assert isinstance(disk, MemoryDisk)
    log = held.partition.log
    assert (log.recovery_point, log.is_id_durable, log.awaited_flush.is_on_its_way) == (1, True, False)


def test_a_topic_that_is_deleted_while_its_records_are_flushed_leaves_nobody_waiting() -> None:
    held = Held(flush_messages="1")
    first, second = held.produce(1), held.produce(1)
    held.broker.delete("t")
    held.flush(is_gone=True)
    assert (answer(first), answer(second)) == ([[ErrorCode.NONE]], [[ErrorCode.NONE]])
