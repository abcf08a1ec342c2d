"""A broker with strict settings refuses requests that other brokers allow.

**Claim** A broker's settings forbid the deletion of topics and their creation on demand, give the default number of
partitions, and limit the sizes of groups, of commit metadata, of pages of partitions and of fetches, and the number of
fetch sessions, for every client.
**Why it matters** Operators rely on these limits to protect a cluster.
**Kafka says** Broker configurations delete.topic.enable, auto.create.topics.enable, group.max.size (KIP-389),
offset.metadata.max.bytes, max.request.partition.size.limit (KIP-966), fetch.max.bytes (KIP-541), num.partitions.
**Cannot see** Limits of connections and quotas.
**Rejects** tests/plants/deletes_where_deletion_is_disabled.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import (
    commit,
    coordinated,
    fetch,
    join,
    produce_quietly,
    stable,
    versions,
)
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest, DeleteTopicState
from reference_broker.wire.messages.describe_topic_partitions_request import (
    DescribeTopicPartitionsRequest,
    TopicRequest,
)
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.records import iter_batches

pytestmark = [
    pytest.mark.cluster(
        config={
            "delete.topic.enable": "false",
            "auto.create.topics.enable": "false",
            "group.max.size": "1",
            "offset.metadata.max.bytes": "10",
            "max.request.partition.size.limit": "2",
            "fetch.max.bytes": "1024",
            "num.partitions": "3",
            "max.incremental.fetch.session.cache.slots": "0",
        }
    ),
    pytest.mark.kip(389, 966, 541),
    pytest.mark.document(
        "broker configuration delete.topic.enable",
        "https://kafka.apache.org/documentation/#brokerconfigs_delete.topic.enable",
    ),
    pytest.mark.document(
        "broker configuration auto.create.topics.enable",
        "https://kafka.apache.org/documentation/#brokerconfigs_auto.create.topics.enable",
    ),
    pytest.mark.document(
        "broker configuration group.max.size", "https://kafka.apache.org/documentation/#brokerconfigs_group.max.size"
    ),
]


@pytest.mark.feature("DeleteTopics")
@versions(1, 2, 3, 5, 6)
def test_topics_are_not_deleted(exchange: Exchange, version: int) -> None:
    """If deletion is disabled it is refused (before version 3 with INVALID_REQUEST), and the topic stays."""
    topic = exchange.topic()
    request = (
        DeleteTopicsRequest(topics=(DeleteTopicState(name=topic),), timeout_ms=5_000)
        if version >= 6
        else DeleteTopicsRequest(topic_names=(topic,), timeout_ms=5_000)
    )
    answer = exchange.ask("a topic, where deletion is disabled", request, version)

    code = ErrorCode.TOPIC_DELETION_DISABLED if version >= 3 else ErrorCode.INVALID_REQUEST
    assert [one.error_code for one in answer.responses] == [code]
    assert exchange.topic_id(topic) != bytes(16)


@pytest.mark.feature("Metadata")
@versions(0, 4, 9, 12)
def test_topics_are_not_made_on_demand(exchange: Exchange, version: int) -> None:
    """If creation on demand is disabled, an unknown topic is not created."""
    name = TopicName(exchange.name("wanted"))
    request = MetadataRequest(topics=(MetadataRequestTopic(name=name),), allow_auto_topic_creation=True)
    for turn in ("first", "second"):
        answer = exchange.ask(f"a topic that is not there, {turn} time", request, version)
        assert answer.topics[0].error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


@pytest.mark.feature("CreateTopics")
@versions(4, 7)
def test_the_brokers_number_of_partitions_counts(exchange: Exchange, version: int) -> None:
    """A topic that is created with -1 partitions has the number in the broker's setting."""
    name = TopicName(exchange.name("orders"))
    topic = CreatableTopic(name=name, num_partitions=-1, replication_factor=-1)
    answer = exchange.ask("-1 partitions", CreateTopicsRequest(topics=(topic,)), version)
    assert answer.topics[0].error_code == ErrorCode.NONE
    about = MetadataRequest(topics=(MetadataRequestTopic(name=name),), allow_auto_topic_creation=False)

    assert any(len(exchange.quietly(about).topics[0].partitions) == 3 for _ in exchange.patience(3))


@pytest.mark.feature("JoinGroup")
@versions(0, 3, 5, 9)
def test_a_full_group_takes_no_more_members(exchange: Exchange, version: int) -> None:
    """A group that has group.max.size members refuses another one."""
    coordinated(exchange)
    name = exchange.name("readers")
    stable(exchange, name)
    answer = exchange.ask("a second member where one is allowed", join(name), version)
    if answer.error_code == ErrorCode.MEMBER_ID_REQUIRED:
        answer = exchange.ask("the same with its id", join(name, answer.member_id), version)

    assert answer.error_code == ErrorCode.GROUP_MAX_SIZE_REACHED


@pytest.mark.feature("OffsetCommit")
@versions(2, 7, 9)
def test_metadata_are_as_long_as_the_setting_says(exchange: Exchange, version: int) -> None:
    """With offset.metadata.max.bytes=10, ten bytes of metadata are accepted and eleven are refused."""
    coordinated(exchange)
    topic = exchange.topic()
    for length, code in ((10, ErrorCode.NONE), (11, ErrorCode.OFFSET_METADATA_TOO_LARGE)):
        request = commit(exchange.name("readers"), topic, 1, metadata="m" * length)
        answer = exchange.ask(f"{length} bytes of metadata", request, version)
        assert answer.topics[0].partitions[0].error_code == code


@pytest.mark.feature("DescribeTopicPartitions")
def test_pages_are_as_large_as_the_setting_says(exchange: Exchange) -> None:
    """With max.request.partition.size.limit=2, a client that asks for more partitions gets two of them and a cursor."""
    topic = exchange.topic(partitions=3)
    request = DescribeTopicPartitionsRequest(topics=(TopicRequest(name=topic),))
    answer = exchange.ask("2,000 partitions at once", request, 0)

    assert len(answer.topics[0].partitions) == 2
    assert answer.next_cursor is not None


@pytest.mark.feature("Fetch")
@versions(4, 12)
def test_answers_are_as_large_as_the_setting_says(exchange: Exchange, version: int) -> None:
    """If the broker's limit (bytes) is below the client's, it applies."""
    topic = exchange.topic()
    for number in range(4):
        produce_quietly(exchange, topic, f"{number}" * 400)
    answer = exchange.ask("four batches of 470 bytes", fetch(topic), version)

    data = answer.responses[0].partitions[0].records
    assert [one.header.base_offset for one in iter_batches(data)] == [0, 1]


@pytest.mark.feature("Fetch")
@versions(7, 12)
def test_no_room_for_sessions(exchange: Exchange, version: int) -> None:
    """If there is no room for fetch sessions, a full fetch is answered without one."""
    topic = exchange.topic()
    answer = exchange.ask("a new session", fetch(topic, session_id=0, session_epoch=0), version)

    assert (answer.error_code, answer.session_id) == (ErrorCode.NONE, 0)
