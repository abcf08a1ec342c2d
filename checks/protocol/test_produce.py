"""Produce (key 0) appends record batches to partitions.

**Claim** An acknowledged batch has the offset in the answer, and is read back as it was sent. A batch for a partition
that does not exist, or with an invalid number of acks, is refused with its own error; each partition of a request has
its own answer.
**Why it matters** Every record of every application goes through this request.
**Kafka says** Protocol guide, Produce; producer configuration acks; KIP-516 (ids), KIP-951 (new leaders in answers).
**Cannot see** Several replicas: with one replica, acks=all is the same as acks=1. Null records: 4.3.1 leaves such a
request without an answer.
**Rejects** tests/plants/wrong_offset_in_answer.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.kept_records import kept, only_partition
from harness.comparing.request_forms import all_versions, batch, coordinated, fetch, produce, variants, versions
from harness.judging.outcome import require
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData
from reference_broker.wire.primitives import TopicName, Uuid

pytestmark = [pytest.mark.feature("Produce"), pytest.mark.kip(516, 951)]

NO_SUCH_ID = Uuid(bytes(range(16)))


def at(exchange: Exchange, topic: str, version: int) -> str | Uuid:
    """The topic's name, or from version 13 on its id."""
    return exchange.topic_id(topic) if version >= 13 else topic


@all_versions(3, 13)
def test_a_batch_is_appended(exchange: Exchange, version: int) -> None:
    """A batch gets the next offsets, and is read back as it was sent."""
    topic = exchange.topic()
    where = at(exchange, topic, version)
    for first in (0, 2):
        answer = exchange.ask("a batch of two records", produce(where, batch("a", "b", key="k")), version)
        assert (only_partition(answer).error_code, only_partition(answer).base_offset) == (ErrorCode.NONE, first)
    read = exchange.ask("what was appended", fetch(topic), 12)
    require(kept(read), [(0, b"k", b"a"), (1, b"k", b"b"), (2, b"k", b"a"), (3, b"k", b"b")], "what was appended")


@versions(3, 9, 13)
@pytest.mark.parametrize("acks", [1, -1])
def test_acks_one_and_all(exchange: Exchange, version: int, acks: int) -> None:
    """With acks of 1 and -1 the broker answers without an error."""
    where = at(exchange, exchange.topic(), version)
    answer = exchange.ask(f"acks={acks}", produce(where, batch("a"), acks=acks), version)

    assert only_partition(answer).error_code == ErrorCode.NONE


@versions(3, 9, 13)
def test_acks_zero_gets_no_answer(exchange: Exchange, version: int) -> None:
    """With acks of 0 there is no answer, and the batch is appended."""
    topic = exchange.topic()
    exchange.expect_silence("acks=0", produce(at(exchange, topic, version), batch("a"), acks=0), version)
    read = exchange.ask("what was appended", fetch(topic), 12)
    assert kept(read) == [(0, None, b"a")]


@versions(3, 9)
def test_acks_zero_with_an_error_closes_the_connection(exchange: Exchange, version: int) -> None:
    """After an error with acks=0 the broker closes the connection, because it sends no answer."""
    exchange.expect_closed(
        "acks=0 to a topic that is not there", produce(exchange.name("nowhere"), batch("a"), acks=0), version
    )


@pytest.mark.parametrize("acks", [2, -2, 32767])
@versions(3, 9, 13)
def test_other_acks_are_refused(exchange: Exchange, version: int, acks: int) -> None:
    """Values of acks other than 0, 1 and -1 are refused."""
    where = at(exchange, exchange.topic(), version)
    answer = exchange.ask(f"acks={acks}", produce(where, batch("a"), acks=acks), version)

    assert only_partition(answer).error_code == ErrorCode.INVALID_REQUIRED_ACKS


@versions(3, 8, 9, 10, 12)
def test_an_unknown_topic_is_refused(exchange: Exchange, version: int) -> None:
    """A topic that does not exist is refused."""
    answer = exchange.ask("a topic that is not there", produce(exchange.name("nowhere"), batch("a")), version)

    assert only_partition(answer).error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


@variants("topic_id", unknown=NO_SUCH_ID, zero=Uuid(bytes(16)))
def test_an_unknown_id_is_refused(exchange: Exchange, topic_id: Uuid) -> None:
    """From version 13 on topics are named by id only; an unknown id is refused."""
    answer = exchange.ask("an id that no topic has", produce(topic_id, batch("a")), 13)

    assert only_partition(answer).error_code == ErrorCode.UNKNOWN_TOPIC_ID


@pytest.mark.parametrize("partition", [1, -1, 2147483647])
@versions(3, 9, 13)
def test_an_unknown_partition_is_refused(exchange: Exchange, version: int, partition: int) -> None:
    """A partition that does not exist is refused."""
    where = at(exchange, exchange.topic(), version)
    answer = exchange.ask(f"partition {partition} of one", produce(where, {partition: batch("a")}), version)

    assert only_partition(answer).error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


@versions(3, 9, 13)
def test_each_partition_has_an_answer_of_its_own(exchange: Exchange, version: int) -> None:
    """In one request, a valid batch is accepted and a corrupt one for another partition is refused."""
    where = at(exchange, exchange.topic(partitions=2), version)
    broken = batch("b")
    broken = broken[:17] + bytes(4) + broken[21:]
    answer = exchange.ask("a good batch, a broken one", produce(where, {0: batch("a"), 1: broken}), version)

    codes = {one.index: one.error_code for one in answer.responses[0].partition_responses}
    assert codes == {0: ErrorCode.NONE, 1: ErrorCode.CORRUPT_MESSAGE}


@versions(3, 9)
def test_two_topics_in_one_request(exchange: Exchange, version: int) -> None:
    """A request may contain several topics: an unknown one is refused, and does not affect the other."""
    topic, other = exchange.topic("known"), exchange.name("unknown")
    data = (PartitionProduceData(index=0, records=memoryview(batch("a"))),)
    request = ProduceRequest(
        acks=-1,
        timeout_ms=5_000,
        topic_data=(
            TopicProduceData(name=TopicName(topic), partition_data=data),
            TopicProduceData(name=TopicName(other), partition_data=data),
        ),
    )
    answer = exchange.ask("a topic that is there and one that is not", request, version)

    codes = {one.name: one.partition_responses[0].error_code for one in answer.responses}
    assert codes == {topic: ErrorCode.NONE, other: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION}


@versions(3, 9, 13)
def test_no_topics_get_an_empty_answer(exchange: Exchange, version: int) -> None:
    """A request without topics is answered without topics."""
    assert exchange.ask("no topics", ProduceRequest(acks=-1, timeout_ms=1_000), version).responses == ()


@versions(3, 9)
def test_an_internal_topic_is_refused(exchange: Exchange, version: int) -> None:
    """Clients cannot write to the topic of committed offsets."""
    coordinated(exchange)
    answer = exchange.ask("the topic of committed offsets", produce("__consumer_offsets", batch("a", key="k")), version)

    assert only_partition(answer).error_code == ErrorCode.INVALID_TOPIC_EXCEPTION


def test_more_replicas_in_sync_than_there_are(exchange: Exchange) -> None:
    """A min.insync.replicas above the number of replicas counts as that number."""
    topic = exchange.topic(min_insync_replicas="2")
    answer = exchange.ask("one replica, min.insync.replicas=2", produce(topic, batch("a")), 9)

    assert only_partition(answer).error_code == ErrorCode.NONE
    assert kept(exchange.quietly(fetch(topic), 12)) == [(0, None, b"a")]
