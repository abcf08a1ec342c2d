"""DescribeProducers (key 61) describes the idempotent producers that a partition's leader knows.

**Claim** An idempotent producer that wrote to a partition is listed with its epoch, its last sequence and its last
timestamp, and no other producer is listed. Topics and partitions that do not exist, or are invalid, are refused.
**Why it matters** Operators find hanging transactions with it.
**Kafka says** Protocol guide, DescribeProducers; KIP-664.
**Cannot see** Open transactions.
**Rejects** tests/plants/tells_the_first_sequence_of_a_producer.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import T0, new_producer, produce_quietly, variants
from harness.judging.outcome import require
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_producers_request import DescribeProducersRequest, TopicRequest
from reference_broker.wire.primitives import TopicName

pytestmark = [
    pytest.mark.feature("DescribeProducers"),
    pytest.mark.kip(664),
    pytest.mark.document(
        "Protocol guide, DescribeProducers", "https://kafka.apache.org/protocol.html#The_Messages_DescribeProducers"
    ),
]


def request(topic: str, *partitions: int) -> DescribeProducersRequest:
    return DescribeProducersRequest(topics=(TopicRequest(name=TopicName(topic), partition_indexes=partitions),))


def test_a_partition_without_producers(exchange: Exchange) -> None:
    """A partition to which only producers without idempotence wrote has no active producers."""
    topic = exchange.topic()
    produce_quietly(exchange, topic, "one")
    answer = exchange.ask("a partition with plain records", request(topic, 0), 0)

    assert answer.topics[0].partitions[0].active_producers == ()


def test_an_idempotent_producer_is_told(exchange: Exchange) -> None:
    """A producer that wrote two batches of three records has the last sequence 5."""
    topic = exchange.topic()
    own = new_producer(exchange)
    for first in (0, 3):
        produce_quietly(exchange, topic, "a", "b", "c", producer_id=own, producer_epoch=0, base_sequence=first)
    answer = exchange.ask("a partition with a producer", request(topic, 0), 0)

    (told,) = answer.topics[0].partitions[0].active_producers
    found = (told.producer_id, told.producer_epoch, told.last_sequence, told.last_timestamp)
    require(found, (own, 0, 5, T0 + 2), "the producer's id, epoch, last sequence and last timestamp")


def test_what_is_not_there_is_refused(exchange: Exchange) -> None:
    """A topic or partition that does not exist is refused."""
    answer = exchange.ask("a topic that is not there", request(exchange.name("nowhere"), 0), 0)
    assert answer.topics[0].partitions[0].error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    answer = exchange.ask("a partition that is not there", request(exchange.topic(), 7), 0)
    assert answer.topics[0].partitions[0].error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


def test_a_topic_that_cannot_be_is_refused(exchange: Exchange) -> None:
    """A name that no topic can have is refused."""
    answer = exchange.ask("a topic with a blank in its name", request("my topic", 0), 0)

    assert answer.topics[0].partitions[0].error_code == ErrorCode.INVALID_TOPIC_EXCEPTION


@variants("epoch", first=0, third=2, last=32766)
def test_a_producers_epoch_is_told(exchange: Exchange, epoch: int) -> None:
    """A producer is listed with the epoch with which it wrote."""
    topic = exchange.topic()
    own = new_producer(exchange)
    produce_quietly(exchange, topic, "a", producer_id=own, producer_epoch=epoch, base_sequence=0)
    answer = exchange.ask(f"a producer of epoch {epoch}", request(topic, 0), 0)

    (told,) = answer.topics[0].partitions[0].active_producers
    assert (told.producer_epoch, told.last_sequence) == (epoch, 0)
