"""CreatePartitions (key 37) gives a topic more partitions.

**Claim** After a successful answer the topic has the requested number of partitions; it never shrinks; an invalid
request is refused with its own error, and leaves the topic as it is.
**Why it matters** A key's partition depends on the number of partitions, so an unintended increase moves keys to other
partitions.
**Kafka says** Protocol guide, CreatePartitions; KIP-195.
**Cannot see** Placement on several brokers.
**Rejects** tests/plants/adds_no_partitions.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import all_versions, variants, versions
from harness.judging.outcome import require
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_partitions_request import (
    CreatePartitionsAssignment,
    CreatePartitionsRequest,
    CreatePartitionsTopic,
)
from reference_broker.wire.messages.create_partitions_response import (
    CreatePartitionsResponse,
    CreatePartitionsTopicResult,
)
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.primitives import BrokerId, TopicName

pytestmark = [
    pytest.mark.feature("CreatePartitions"),
    pytest.mark.kip(195),
    pytest.mark.document(
        "Protocol guide, CreatePartitions", "https://kafka.apache.org/protocol.html#The_Messages_CreatePartitions"
    ),
]


def grown(name: str, count: int, *, assignment: tuple[tuple[int, ...], ...] | None = None) -> CreatePartitionsTopic:
    assigned = None
    if assignment is not None:
        assigned = tuple(CreatePartitionsAssignment(broker_ids=tuple(map(BrokerId, one))) for one in assignment)
    return CreatePartitionsTopic(name=TopicName(name), count=count, assignments=assigned)


def request(*topics: CreatePartitionsTopic, validate_only: bool = False) -> CreatePartitionsRequest:
    return CreatePartitionsRequest(topics=topics, timeout_ms=10_000, validate_only=validate_only)


def only(answer: CreatePartitionsResponse) -> CreatePartitionsTopicResult:
    (found,) = answer.results
    return found


def partitions(exchange: Exchange, name: str) -> int:
    about = MetadataRequest(topics=(MetadataRequestTopic(name=TopicName(name)),), allow_auto_topic_creation=False)
    return len(exchange.quietly(about).topics[0].partitions)


def grown_to(exchange: Exchange, name: str, count: int) -> int:
    """The number of a topic's partitions, after waiting a little for it to reach `count`."""
    for _ in exchange.patience(3):
        if partitions(exchange, name) >= count:
            break
    return partitions(exchange, name)


@all_versions(0, 3)
def test_a_topic_grows(exchange: Exchange, version: int) -> None:
    """A topic gets the requested number of partitions."""
    topic = exchange.topic(partitions=2)
    answer = exchange.ask("from two to five partitions", request(grown(topic, 5)), version)

    assert only(answer).error_code == ErrorCode.NONE
    require(grown_to(exchange, topic, 5), 5, "the number of partitions")


@versions(0, 3)
def test_validation_makes_nothing(exchange: Exchange, version: int) -> None:
    """validate_only leaves the topic as it is."""
    topic = exchange.topic(partitions=2)
    answer = exchange.ask("from two to five, to validate only", request(grown(topic, 5), validate_only=True), version)

    assert only(answer).error_code == ErrorCode.NONE
    assert partitions(exchange, topic) == 2


@versions(0, 3)
def test_new_partitions_may_be_assigned(exchange: Exchange, version: int) -> None:
    """The request may name the brokers of the new partitions."""
    topic, broker = exchange.topic(), exchange.broker()
    answer = exchange.ask("two more, assigned", request(grown(topic, 3, assignment=((broker,), (broker,)))), version)

    assert only(answer).error_code == ErrorCode.NONE
    require(grown_to(exchange, topic, 3), 3, "the number of partitions")


@pytest.mark.parametrize("count", [3, 2, 0, -1])
@versions(0, 3)
def test_a_topic_does_not_shrink(exchange: Exchange, version: int, count: int) -> None:
    """A number of partitions that is not higher than the current one is refused."""
    topic = exchange.topic(partitions=3)
    answer = exchange.ask(f"from three to {count}", request(grown(topic, count)), version)

    assert only(answer).error_code == ErrorCode.INVALID_PARTITIONS
    assert partitions(exchange, topic) == 3


@versions(0, 3)
def test_an_unknown_topic_is_refused(exchange: Exchange, version: int) -> None:
    """A topic that does not exist is refused."""
    answer = exchange.ask("a topic that is not there", request(grown(exchange.name("nowhere"), 3)), version)

    assert only(answer).error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


@versions(0, 3)
def test_a_topic_named_twice_is_refused(exchange: Exchange, version: int) -> None:
    """A topic that is named twice in a request is refused, and stays as it is."""
    topic = exchange.topic()
    answer = exchange.ask("one topic twice", request(grown(topic, 2), grown(topic, 3)), version)

    assert only(answer).error_code == ErrorCode.INVALID_REQUEST
    assert partitions(exchange, topic) == 1


@variants("kind", too_few="too few", too_many="too many", unknown_broker="unknown", twice="twice", empty="empty")
@versions(0, 3)
def test_an_assignment_that_cannot_be_is_refused(exchange: Exchange, version: int, kind: str) -> None:
    """An assignment must have one list of existing, distinct brokers for each new partition, as long as those of the
    others."""
    topic, broker = exchange.topic(), exchange.broker()
    assignment: tuple[tuple[int, ...], ...] = {
        "too few": ((broker,),),
        "too many": ((broker,), (broker,), (broker,)),
        "unknown": ((broker,), (broker + 1000,)),
        "twice": ((broker,), (broker, broker)),
        "empty": ((broker,), ()),
    }[kind]
    answer = exchange.ask(f"two more, assigned: {kind}", request(grown(topic, 3, assignment=assignment)), version)

    assert only(answer).error_code == ErrorCode.INVALID_REPLICA_ASSIGNMENT
    assert partitions(exchange, topic) == 1


@versions(3)
def test_too_many_partitions_are_refused(exchange: Exchange, version: int) -> None:
    """A topic cannot get more than 10,000 partitions at once. (Before 4.4 the error code is an accident of Kafka.)"""
    topic = exchange.topic()
    answer = exchange.ask("10,002 partitions", request(grown(topic, 10_002), validate_only=True), version)

    assert only(answer).error_code != ErrorCode.NONE
    assert partitions(exchange, topic) == 1


@versions(0, 3)
def test_each_topic_has_an_answer_of_its_own(exchange: Exchange, version: int) -> None:
    """In one request, one topic gets more partitions and another is refused."""
    good, bad = exchange.topic("good"), exchange.topic("bad", partitions=4)
    answer = exchange.ask("one that can grow and one that cannot", request(grown(good, 2), grown(bad, 2)), version)

    codes = {found.name: found.error_code for found in answer.results}
    assert codes == {good: ErrorCode.NONE, bad: ErrorCode.INVALID_PARTITIONS}
    require(grown_to(exchange, good, 2), 2, "the number of partitions of the one that can grow")
    assert partitions(exchange, bad) == 4
