"""CreateTopics (key 19) with assignments of replicas to brokers.

**Claim** A topic may be created with a list of brokers for each partition, instead of numbers of partitions and
replicas. An invalid assignment, or one together with numbers, is refused, and no topic is created.
**Why it matters** Tools that place replicas themselves must get the placement that they ask for.
**Kafka says** Protocol guide, CreateTopics; KIP-4.
**Cannot see** Assignments over several brokers: there is one.
**Rejects** tests/plants/takes_assignments_that_cannot_be.py
"""

from __future__ import annotations

import pytest

from harness.comparing.created_topics import (
    create,
    is_there,
    new_topic,
    only_topic,
    size_of,
)
from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import versions
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_topics_request import CreatableReplicaAssignment, CreatableTopic
from reference_broker.wire.primitives import BrokerId, TopicName

pytestmark = [pytest.mark.feature("CreateTopics"), pytest.mark.kip(4)]


@versions(2, 5, 7)
def test_an_assignment_is_taken(exchange: Exchange, version: int) -> None:
    """A topic may be created by an assignment, with -1 for the numbers of partitions and replicas."""
    broker, name = exchange.broker(), exchange.name("orders")
    topic = new_topic(name, -1, -1, assignment={1: (broker,), 0: (broker,)})
    answer = exchange.ask("two partitions by assignment", create(topic), version)

    assert only_topic(answer).error_code == ErrorCode.NONE
    assert size_of(exchange, name) == (2, 1)


@pytest.mark.parametrize(("partitions", "replicas"), [(2, -1), (-1, 1), (2, 1)])
@versions(2, 7)
def test_an_assignment_beside_numbers_is_refused(
    exchange: Exchange, version: int, partitions: int, replicas: int
) -> None:
    """An assignment together with a number of partitions or replicas is refused."""
    name = exchange.name("orders")
    topic = new_topic(name, partitions, replicas, assignment={0: (exchange.broker(),)})
    answer = exchange.ask(f"an assignment, {partitions} partitions, {replicas} replicas", create(topic), version)

    assert only_topic(answer).error_code == ErrorCode.INVALID_REQUEST
    assert not is_there(exchange, name)


@pytest.mark.parametrize("kind", ["unknown_broker", "broker_twice", "no_broker", "gap", "not_from_zero", "negative"])
@versions(2, 7)
def test_an_assignment_that_cannot_be_is_refused(exchange: Exchange, version: int, kind: str) -> None:
    """An assignment must number partitions from 0 without gaps, and give each of them existing, distinct brokers."""
    broker = exchange.broker()
    assignment: dict[int, tuple[int, ...]] = {
        "unknown_broker": {0: (broker + 1000,)},
        "broker_twice": {0: (broker, broker)},
        "no_broker": {0: ()},
        "gap": {0: (broker,), 2: (broker,)},
        "not_from_zero": {1: (broker,)},
        "negative": {-1: (broker,)},
    }[kind]
    name = exchange.name("orders")
    topic = new_topic(name, -1, -1, assignment=assignment)
    answer = exchange.ask(f"an assignment: {kind.replace('_', ' ')}", create(topic), version)

    assert only_topic(answer).error_code == ErrorCode.INVALID_REPLICA_ASSIGNMENT
    assert not is_there(exchange, name)


@versions(7)
def test_an_assignment_that_names_a_partition_twice_is_refused(exchange: Exchange, version: int) -> None:
    """An assignment that contains a partition twice is refused."""
    broker = exchange.broker()
    twice = tuple(CreatableReplicaAssignment(partition_index=0, broker_ids=(BrokerId(broker),)) for _ in range(2))
    name = exchange.name("orders")
    topic = CreatableTopic(name=TopicName(name), num_partitions=-1, replication_factor=-1, assignments=twice)
    answer = exchange.ask("partition 0 twice", create(topic), version)

    assert only_topic(answer).error_code == ErrorCode.INVALID_REPLICA_ASSIGNMENT
    assert not is_there(exchange, name)
