"""A producer that ended with a fatal error still tells the end of each record."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import pytest

from harness.clients.client import Delivery
from harness.clients.confluent import ConfluentProducer
from harness.clients.connection import RawConnection
from harness.clients.operators.librdkafka import LibrdkafkaOperator
from harness.history.operations import OpType
from harness.judging.guarantees import ClientSettings
from harness.targets.target import Cluster, ClusterSpec, resolve
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_producers_request import DescribeProducersRequest, TopicRequest
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.records import Record, encode_batch

_PRODUCE, _DESCRIBE_PRODUCERS = 0, 61
_PARTITIONS = range(4)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with contextlib.closing(resolve("reference").open(ClusterSpec())) as opened:
        yield opened


def overtake(bootstrap: str, topic: str) -> None:
    """Writes in the producer's name into each partition, so that its own next sequence is out of order."""
    with RawConnection.to(bootstrap) as raw:
        for partition in _PARTITIONS:
            asked = TopicRequest(name=TopicName(topic), partition_indexes=(partition,))
            told = raw.request(_DESCRIBE_PRODUCERS, 0, DescribeProducersRequest(topics=(asked,)))
            (producer,) = told.topics[0].partitions[0].active_producers
            now = int(time.time() * 1000)
            batch = encode_batch(
                [Record(offset=number, timestamp=now, key=None, value=b"another's") for number in range(20)],
                producer_id=producer.producer_id,
                producer_epoch=producer.producer_epoch,
                base_sequence=producer.last_sequence + 1,
            )
            data = TopicProduceData(
                name=TopicName(topic), partition_data=(PartitionProduceData(index=partition, records=batch),)
            )
            answer = raw.request(_PRODUCE, 9, ProduceRequest(acks=-1, timeout_ms=5_000, topic_data=(data,)))
            assert answer.responses[0].partition_responses[0].error_code == ErrorCode.NONE


def test_a_fatal_error_of_librdkafka_comes_by_the_deliveries_and_never_from_a_call(cluster: Cluster) -> None:
    """The library leaves the error pending while it calls for deliveries, so that any call may end without one."""
    LibrdkafkaOperator(cluster.bootstrap).create_topic("t", partitions=len(_PARTITIONS))
    producer = ConfluentProducer(cluster.bootstrap, ClientSettings(), "c")
    firsts: list[Delivery] = []
    for partition in _PARTITIONS:
        producer.send("t", partition, key=None, value=b"first", on_delivery=firsts.append)
    producer.flush(10)
    assert [delivery.outcome for delivery in firsts] == [OpType.OK for _ in _PARTITIONS]
    overtake(cluster.bootstrap, "t")

    rest: list[Delivery] = []
    for number in range(2_000):
        producer.send("t", number % len(_PARTITIONS), key=None, value=b"more", on_delivery=rest.append)
    producer.flush(10)
    is_broken = producer.is_broken()
    producer.close()

    assert is_broken
    assert len(rest) == 2_000
    assert {delivery.outcome for delivery in rest} == {OpType.INFO}
    assert "OUT_OF_ORDER_SEQUENCE_NUMBER" in {delivery.error for delivery in rest}
