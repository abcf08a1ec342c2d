"""A running broker can be unregistered, and is registered again after a restart.

**Claim** An unregistered broker is no longer listed in answers and leads no partition: it refuses writes with the right
error, while its records can still be read. After a restart it leads its partition again, with every acknowledged
record.
**Why it matters** An operator who unregisters the wrong broker must see what happened, and must be able to undo it by a
restart.
**Kafka says** Protocol guide, UnregisterBroker; KIP-500, KIP-966 (an eligible leader replica stays eligible).
**Cannot see** A cluster in which other brokers take over.
**Rejects** tests/plants/keeps_an_unregistered_broker_leading.py
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import (
    batch,
    commit,
    coordinated,
    deposed,
    fetch,
    join,
    list_offsets,
    produce,
    produce_quietly,
)
from harness.pytest_plugin.strike import Strike
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.describe_cluster_request import DescribeClusterRequest
from reference_broker.wire.messages.describe_topic_partitions_request import (
    DescribeTopicPartitionsRequest,
    TopicRequest,
)
from reference_broker.wire.messages.find_coordinator_request import FindCoordinatorRequest
from reference_broker.wire.messages.init_producer_id_request import InitProducerIdRequest
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.messages.unregister_broker_request import UnregisterBrokerRequest
from reference_broker.wire.primitives import BrokerId, TopicName
from reference_broker.wire.records import iter_batches

pytestmark = [
    # A separate cluster of one broker: other checks need their broker, and no other broker may take over.
    pytest.mark.cluster(config={"broker.rack": "taken-out"}, is_exact=True),
    pytest.mark.feature("UnregisterBroker"),
    pytest.mark.severity("critical"),
    pytest.mark.kip(500, 966),
    pytest.mark.document(
        "Protocol guide, UnregisterBroker", "https://kafka.apache.org/protocol.html#The_Messages_UnregisterBroker"
    ),
]

UNREGISTER = UnregisterBrokerRequest(broker_id=BrokerId(1))


@pytest.fixture
def topic(exchange: Exchange, strike: Strike) -> Iterator[TopicName]:
    """A topic with a record, on a broker that is then unregistered; at the end the broker is killed and restarted."""
    name = exchange.topic()
    produce_quietly(exchange, name, "acknowledged")
    coordinated(exchange)
    assert exchange.ask("the running broker", UNREGISTER, 0).error_code == ErrorCode.NONE
    try:
        deposed(exchange, name)
        yield name
    finally:
        strike("kill")


def about(topic: str) -> MetadataRequest:
    return MetadataRequest(topics=(MetadataRequestTopic(name=TopicName(topic)),), allow_auto_topic_creation=False)


def test_it_is_in_no_answer(exchange: Exchange, topic: TopicName) -> None:
    """No answer lists the broker, a leader or a coordinator; and it cannot be unregistered twice."""
    for version in (4, 9, 12):
        answer = exchange.ask("the topic", about(topic), version)
        (partition,) = answer.topics[0].partitions
        told = (len(answer.brokers), partition.error_code, partition.leader_id)
        assert told == (0, ErrorCode.LEADER_NOT_AVAILABLE, -1)
    assert exchange.ask("the brokers", DescribeClusterRequest(), 0).brokers == ()
    everyone = DescribeClusterRequest(include_fenced_brokers=True)
    assert exchange.ask("all brokers, fenced ones too", everyone, 2).brokers == ()
    answer = exchange.ask("the topic", DescribeTopicPartitionsRequest(topics=(TopicRequest(name=topic),)), 0)
    assert [one.leader_id for one in answer.topics[0].partitions] == [-1]
    found = exchange.ask("any group's coordinator", FindCoordinatorRequest(coordinator_keys=("any",)), 4)
    assert found.coordinators[0].error_code == ErrorCode.COORDINATOR_NOT_AVAILABLE
    assert exchange.ask("once more", UNREGISTER, 0).error_code == ErrorCode.BROKER_ID_NOT_REGISTERED


def test_it_takes_nothing(exchange: Exchange, topic: TopicName) -> None:
    """The broker refuses records, committed offsets, group members, producers and new topics."""
    for acks in (1, -1):
        answer = exchange.ask(f"a record, acks {acks}", produce(topic, batch("late"), acks=acks), 9)
        code = answer.responses[0].partition_responses[0].error_code
        assert code == ErrorCode.NOT_LEADER_OR_FOLLOWER
    group = exchange.name("readers")
    committed = exchange.ask("an offset", commit(group, topic, 1), 7)
    assert committed.topics[0].partitions[0].error_code == ErrorCode.NOT_COORDINATOR
    assert exchange.ask("a member", join(group), 3).error_code == ErrorCode.NOT_COORDINATOR
    assert exchange.ask("the end of the log", list_offsets(topic, -1), 7).topics[0].partitions[0].error_code == (
        ErrorCode.NOT_LEADER_OR_FOLLOWER
    )
    wanted = CreatableTopic(name=TopicName(exchange.name("new")), num_partitions=1, replication_factor=-1)
    made = exchange.ask("a topic", CreateTopicsRequest(topics=(wanted,), timeout_ms=5_000), 7)
    assert made.topics[0].error_code == ErrorCode.INVALID_REPLICATION_FACTOR
    producer = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=60_000)
    assert exchange.ask("a producer", producer, 4).error_code == ErrorCode.COORDINATOR_LOAD_IN_PROGRESS


def test_it_is_whole_again_after_a_restart(exchange: Exchange, topic: TopicName, strike: Strike) -> None:
    """The acknowledged record can be read before and after the restart, and the next one is appended after it."""
    early = exchange.ask("what is there", fetch(topic), 12)
    assert values(early) == ["acknowledged"]

    strike("kill")
    exchange.await_topic(topic)

    answer = exchange.ask("the next record", produce(topic, batch("next")), 9)
    found = answer.responses[0].partition_responses[0]
    assert (found.error_code, found.base_offset) == (ErrorCode.NONE, 1)
    assert values(exchange.ask("both", fetch(topic), 12)) == ["acknowledged", "next"]
    assert exchange.ask("the topic", about(topic), 12).topics[0].partitions[0].leader_epoch == 2


def values(answer: Any) -> list[str]:
    """The values of the records in a Fetch answer with one partition."""
    data = answer.responses[0].partitions[0].records
    return [(record.value or b"").decode() for one in iter_batches(data) for record in one.records()]
