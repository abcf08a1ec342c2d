"""Produce (key 0) by idempotent producers: sequences and epochs.

**Claim** A batch that is sent again is answered with the offset that it got the first time, and is in the log once. A
gap in a producer's sequences is refused, and so is a producer with an old epoch.
**Why it matters** Producers survive faults by retrying; retries must neither duplicate nor lose records.
**Kafka says** KIP-98 (idempotent producers), KIP-360 (unknown producers), Protocol guide, Produce.
**Cannot see** Transactions; producers that expired.
**Rejects** tests/plants/accepts_a_sequence_gap.py, tests/plants/out_of_order_sequence_for_duplicate.py,
tests/plants/remembers_only_the_last_batch.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import batch, new_producer, produce, versions
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.produce_response import PartitionProduceResponse, ProduceResponse
from reference_broker.wire.primitives import Uuid

pytestmark = [
    pytest.mark.feature("Produce"),
    pytest.mark.kip(98, 360),
    pytest.mark.document("Protocol guide, Produce", "https://kafka.apache.org/protocol.html#The_Messages_Produce"),
]


def at(exchange: Exchange, topic: str, version: int) -> str | Uuid:
    """The topic's name, or from version 13 on its id."""
    return exchange.topic_id(topic) if version >= 13 else topic


def only(answer: ProduceResponse) -> PartitionProduceResponse:
    ((found,),) = (one.partition_responses for one in answer.responses)
    return found


def sequenced(producer: int, sequence: int, *values: str, epoch: int = 0) -> bytes:
    return batch(*(values or ("a",)), producer_id=producer, producer_epoch=epoch, base_sequence=sequence)


@versions(3, 9, 12)
def test_a_retried_batch_is_appended_once(exchange: Exchange, version: int) -> None:
    """A batch that is sent again is answered as the first time, and not appended again."""
    topic, producer = exchange.topic(), new_producer(exchange)
    data = sequenced(producer, 0, "a", "b")
    for turn in ("first", "second", "third"):
        answer = exchange.ask(f"sequences 0 and 1, {turn} time", produce(topic, data), version)
        assert (only(answer).error_code, only(answer).base_offset) == (ErrorCode.NONE, 0)
    answer = exchange.ask("sequence 2", produce(topic, sequenced(producer, 2)), version)
    assert only(answer).base_offset == 2


@versions(3, 9)
def test_the_last_five_batches_are_remembered(exchange: Exchange, version: int) -> None:
    """A repeat of one of the last five batches is accepted; a repeat of an older one is out of order."""
    topic, producer = exchange.topic(), new_producer(exchange)
    for sequence in range(7):
        exchange.quietly(produce(topic, sequenced(producer, sequence)), 9)
    for sequence, code in ((6, ErrorCode.NONE), (2, ErrorCode.NONE), (1, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)):
        answer = exchange.ask(
            f"sequence {sequence} again, after 0 to 6", produce(topic, sequenced(producer, sequence)), version
        )
        assert only(answer).error_code == code


@versions(3, 9)
def test_a_gap_in_sequences_is_refused(exchange: Exchange, version: int) -> None:
    """A gap in a producer's sequences is refused, and the expected sequence is accepted afterwards."""
    topic, producer = exchange.topic(), new_producer(exchange)
    exchange.quietly(produce(topic, sequenced(producer, 0)), 9)
    answer = exchange.ask("sequence 2 after 0", produce(topic, sequenced(producer, 2)), version)
    assert only(answer).error_code == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    answer = exchange.ask("sequence 1 then", produce(topic, sequenced(producer, 1)), version)
    assert only(answer).base_offset == 1


@versions(3, 9)
def test_a_batch_that_overlaps_is_refused(exchange: Exchange, version: int) -> None:
    """A batch that repeats only a part of another batch is refused."""
    topic, producer = exchange.topic(), new_producer(exchange)
    exchange.quietly(produce(topic, sequenced(producer, 0, "a", "b", "c")), 9)
    answer = exchange.ask("sequences 1 and 2 after 0 to 2", produce(topic, sequenced(producer, 1, "b", "c")), version)

    assert only(answer).error_code == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER


@versions(3, 9)
def test_an_unknown_producer_may_begin_anywhere(exchange: Exchange, version: int) -> None:
    """A producer without state in the partition may begin with any sequence, and must then continue without a gap."""
    topic, producer = exchange.topic(), new_producer(exchange)
    answer = exchange.ask("sequence 41 first", produce(topic, sequenced(producer, 41)), version)
    assert only(answer).error_code == ErrorCode.NONE
    answer = exchange.ask("sequence 43 next", produce(topic, sequenced(producer, 43)), version)
    assert only(answer).error_code == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER


@versions(3, 9)
def test_epochs_fence_producers(exchange: Exchange, version: int) -> None:
    """An older epoch is fenced; a newer one must begin at sequence 0."""
    topic, producer = exchange.topic(), new_producer(exchange)
    for words, data, code in (
        ("epoch 1, sequence 0", sequenced(producer, 0, epoch=1), ErrorCode.NONE),
        ("epoch 0, sequence 1", sequenced(producer, 1, epoch=0), ErrorCode.INVALID_PRODUCER_EPOCH),
        ("epoch 2, sequence 1", sequenced(producer, 1, epoch=2), ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER),
        ("epoch 2, sequence 0", sequenced(producer, 0, epoch=2), ErrorCode.NONE),
    ):
        answer = exchange.ask(words, produce(topic, data), version)
        assert only(answer).error_code == code


def test_sequences_begin_again_after_the_largest(exchange: Exchange) -> None:
    """After sequence 2,147,483,647 the next one is 0."""
    topic, producer = exchange.topic(), new_producer(exchange)
    largest = 2_147_483_647
    for words, data in (
        ("two records from the largest but one", sequenced(producer, largest - 1, "a", "b")),
        ("then sequence 0", sequenced(producer, 0)),
    ):
        answer = exchange.ask(words, produce(topic, data), 9)
        assert only(answer).error_code == ErrorCode.NONE


def test_a_batch_may_wrap_the_sequences(exchange: Exchange) -> None:
    """A batch may contain the largest sequence and 0."""
    topic, producer = exchange.topic(), new_producer(exchange)
    wrapping = produce(topic, sequenced(producer, 2_147_483_647, "a", "b"))
    assert only(exchange.ask("two records from the largest", wrapping, 9)).error_code == ErrorCode.NONE
    answer = exchange.ask("then sequence 1", produce(topic, sequenced(producer, 1)), 9)

    assert only(answer).error_code == ErrorCode.NONE


def test_partitions_have_sequences_of_their_own(exchange: Exchange) -> None:
    """A producer's sequences are counted separately in each partition."""
    topic, producer = exchange.topic(partitions=2), new_producer(exchange)
    for partition in (0, 1):
        answer = exchange.ask(
            f"sequence 0 into partition {partition}", produce(topic, {partition: sequenced(producer, 0)}), 9
        )
        assert (only(answer).error_code, only(answer).base_offset) == (ErrorCode.NONE, 0)
