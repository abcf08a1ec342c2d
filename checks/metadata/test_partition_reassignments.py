"""AlterPartitionReassignments (key 45) moves partitions to other brokers, ListPartitionReassignments (46) lists moves.

**Claim** A move that cannot be is refused with its own error, and leaves the partition where it is; a move to where the
partition is already is done at once; what does not move is in no list.
**Why it matters** A wrong plan, typed by hand, must not cost a partition its replicas.
**Kafka says** Protocol guide; KIP-455, KIP-860.
**Cannot see** A move to another broker: metadata/isr_changes and the runs on several nodes.
**Rejects** tests/plants/takes_an_unknown_broker_for_a_replica.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import all_versions, variants, versions
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.alter_partition_reassignments_request import (
    AlterPartitionReassignmentsRequest,
    ReassignablePartition,
    ReassignableTopic,
)
from reference_broker.wire.messages.alter_partition_reassignments_response import AlterPartitionReassignmentsResponse
from reference_broker.wire.messages.list_partition_reassignments_request import (
    ListPartitionReassignmentsRequest,
    ListPartitionReassignmentsTopics,
)
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.primitives import BrokerId, TopicName

pytestmark = [
    pytest.mark.feature("AlterPartitionReassignments"),
    pytest.mark.kip(455, 860),
    pytest.mark.document(
        "Protocol guide, AlterPartitionReassignments",
        "https://kafka.apache.org/protocol.html#The_Messages_AlterPartitionReassignments",
    ),
]


def move(
    name: str, replicas: tuple[int, ...] | None, *, index: int = 0, may_change: bool = True
) -> AlterPartitionReassignmentsRequest:
    wanted = None if replicas is None else tuple(map(BrokerId, replicas))
    partition = ReassignablePartition(partition_index=index, replicas=wanted)
    topic = ReassignableTopic(name=TopicName(name), partitions=(partition,))
    return AlterPartitionReassignmentsRequest(
        timeout_ms=10_000, allow_replication_factor_change=may_change, topics=(topic,)
    )


def code(answer: AlterPartitionReassignmentsResponse) -> int:
    found: int = answer.responses[0].partitions[0].error_code
    return found


def replicas(exchange: Exchange, name: str) -> list[int]:
    about = MetadataRequest(topics=(MetadataRequestTopic(name=TopicName(name)),), allow_auto_topic_creation=False)
    return list(exchange.quietly(about).topics[0].partitions[0].replica_nodes)


@all_versions(0, 1)
def test_a_move_to_where_it_is_is_done_at_once(exchange: Exchange, version: int) -> None:
    """A partition that is on the wished brokers already stays there, and is not moving."""
    topic = exchange.topic()
    before = replicas(exchange, topic)
    answer = exchange.ask("to its own broker", move(topic, tuple(before)), version)

    assert code(answer) == ErrorCode.NONE
    assert replicas(exchange, topic) == before


@variants("kind", unknown="unknown", twice="twice", empty="empty", negative="negative")
@versions(0, 1)
def test_replicas_that_cannot_be_are_refused(exchange: Exchange, version: int, kind: str) -> None:
    """The wished brokers must exist, and be named once."""
    topic = exchange.topic()
    before = replicas(exchange, topic)
    wished = {"unknown": (before[0] + 1000,), "twice": (before[0], before[0]), "empty": (), "negative": (-1,)}[kind]
    answer = exchange.ask(f"to brokers that cannot be: {kind}", move(topic, wished), version)

    assert code(answer) == ErrorCode.INVALID_REPLICA_ASSIGNMENT
    assert replicas(exchange, topic) == before


@versions(0, 1)
def test_what_is_not_there_is_not_moved(exchange: Exchange, version: int) -> None:
    """A topic that does not exist is refused."""
    answer = exchange.ask("an unknown topic", move(exchange.name("nowhere"), (1,)), version)

    assert code(answer) == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


@versions(0, 1)
def test_an_unknown_partition_is_not_moved(exchange: Exchange, version: int) -> None:
    """A partition that does not exist is refused."""
    topic = exchange.topic()
    answer = exchange.ask("partition 7 of one", move(topic, (1,), index=7), version)

    assert code(answer) == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


@versions(0, 1)
def test_a_partition_that_does_not_move_has_nothing_to_cancel(exchange: Exchange, version: int) -> None:
    """To cancel a move there must be one."""
    topic = exchange.topic()
    answer = exchange.ask("to cancel", move(topic, None), version)

    assert code(answer) == ErrorCode.NO_REASSIGNMENT_IN_PROGRESS


@versions(1)
def test_a_move_that_may_keep_its_factor_only_keeps_it(exchange: Exchange, version: int) -> None:
    """With the replication factor to be kept, a move to as many brokers is done."""
    topic = exchange.topic()
    before = replicas(exchange, topic)
    answer = exchange.ask(
        "to its own broker, of the same factor", move(topic, tuple(before), may_change=False), version
    )

    assert code(answer) == ErrorCode.NONE


@versions(0, 1)
def test_no_topics_are_moved(exchange: Exchange, version: int) -> None:
    """An empty list asks for nothing."""
    answer = exchange.ask("no topics", AlterPartitionReassignmentsRequest(timeout_ms=10_000), version)

    assert (answer.error_code, answer.responses) == (ErrorCode.NONE, ())


@variants("asked", all=None, none=())
def test_what_does_not_move_is_in_no_list(exchange: Exchange, asked: tuple[()] | None) -> None:
    """Nothing moves, so nothing is listed: of all topics, or of none."""
    words = "all topics" if asked is None else "no topics"
    answer = exchange.ask(words, ListPartitionReassignmentsRequest(topics=asked, timeout_ms=10_000), 0)

    assert (answer.error_code, answer.topics) == (ErrorCode.NONE, ())


def test_named_partitions_that_do_not_move_are_in_no_list(exchange: Exchange) -> None:
    """A partition that does not move, and one that does not exist, are left out."""
    named = (
        ListPartitionReassignmentsTopics(name=exchange.topic(), partition_indexes=(0, 7)),
        ListPartitionReassignmentsTopics(name=TopicName(exchange.name("nowhere")), partition_indexes=(0,)),
    )
    answer = exchange.ask(
        "a topic and an unknown one", ListPartitionReassignmentsRequest(topics=named, timeout_ms=10_000), 0
    )

    assert (answer.error_code, answer.topics) == (ErrorCode.NONE, ())
