"""A change of metadata that may not wait is refused with REQUEST_TIMED_OUT.

**Claim** timeout_ms is how long a request may wait until the controller begins it. CreateTopics, DeleteTopics,
CreatePartitions, ElectLeaders and AlterPartitionReassignments that may not wait at all are refused with
REQUEST_TIMED_OUT, and the topics are as before.
**Why it matters** A client that is told of a time-out asks again; a change that was made all the same would then be
refused or made twice.
**Kafka says** Protocol guide: timeout_ms of these requests, REQUEST_TIMED_OUT.
**Cannot see** A controller so busy that a request waits for longer than it may.
**Rejects** tests/plants/decides_without_time.py
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import variants
from harness.judging.outcome import require
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_partition_reassignments_request import (
    AlterPartitionReassignmentsRequest,
    ReassignablePartition,
    ReassignableTopic,
)
from reference_broker.wire.messages.create_partitions_request import CreatePartitionsRequest, CreatePartitionsTopic
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest, DeleteTopicState
from reference_broker.wire.messages.elect_leaders_request import ElectLeadersRequest, TopicPartitions
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.primitives import TopicName

pytestmark = [
    pytest.mark.feature("Time-outs of the controller"),
    pytest.mark.document("Protocol guide", "https://kafka.apache.org/protocol.html"),
]
times = variants("timeout_ms", none=0, negative=-1)


def partitions(exchange: Exchange, topic: TopicName) -> int:
    """How many a topic has; 0 where it is not there."""
    asked = MetadataRequest(topics=(MetadataRequestTopic(name=topic),), allow_auto_topic_creation=False)
    (found,) = exchange.quietly(asked).topics
    return 0 if found.error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION else len(found.partitions)


def refused(exchange: Exchange, words: str, message: Any, version: int) -> Any:
    answer: Any = exchange.ask(f"{words}, timeout_ms {message.timeout_ms}", message, version)
    return answer


@times
def test_a_topic_is_not_created(exchange: Exchange, timeout_ms: int) -> None:
    """The topic is not there afterwards."""
    name = TopicName(exchange.name("orders"))
    topic = CreatableTopic(name=name, num_partitions=1, replication_factor=1)
    answer = refused(exchange, "a topic", CreateTopicsRequest(topics=(topic,), timeout_ms=timeout_ms), 7)

    assert answer.topics[0].error_code == ErrorCode.REQUEST_TIMED_OUT
    require(partitions(exchange, name), 0, "the number of partitions")


@times
def test_a_topic_is_not_deleted(exchange: Exchange, timeout_ms: int) -> None:
    """The topic stays."""
    topic = exchange.topic()
    request = DeleteTopicsRequest(topics=(DeleteTopicState(name=topic),), timeout_ms=timeout_ms)
    answer = refused(exchange, "a topic", request, 6)

    assert answer.responses[0].error_code == ErrorCode.REQUEST_TIMED_OUT
    require(partitions(exchange, topic), 1, "the number of partitions")


@times
def test_no_partitions_are_added(exchange: Exchange, timeout_ms: int) -> None:
    """The topic has as many as before."""
    topic = exchange.topic()
    grown = CreatePartitionsTopic(name=topic, count=2, assignments=None)
    request = CreatePartitionsRequest(topics=(grown,), timeout_ms=timeout_ms, validate_only=False)
    answer = refused(exchange, "one partition more", request, 3)

    assert answer.results[0].error_code == ErrorCode.REQUEST_TIMED_OUT
    require(partitions(exchange, topic), 1, "the number of partitions")


@times
def test_no_leader_is_elected(exchange: Exchange, timeout_ms: int) -> None:
    """The whole request is refused."""
    asked = TopicPartitions(topic=exchange.topic(), partitions=(0,))
    request = ElectLeadersRequest(election_type=0, topic_partitions=(asked,), timeout_ms=timeout_ms)
    answer = refused(exchange, "a partition", request, 2)

    assert answer.error_code == ErrorCode.REQUEST_TIMED_OUT


@times
def test_no_partition_is_moved(exchange: Exchange, timeout_ms: int) -> None:
    """The whole request is refused."""
    moved = ReassignableTopic(
        name=exchange.topic(), partitions=(ReassignablePartition(partition_index=0, replicas=None),)
    )
    request = AlterPartitionReassignmentsRequest(topics=(moved,), timeout_ms=timeout_ms)
    answer = refused(exchange, "a move to cancel", request, 0)

    assert answer.error_code == ErrorCode.REQUEST_TIMED_OUT
