"""Topic ids are unique and never reused, and requests with the id of a deleted topic are refused.

**Claim** No two topics have the same id. A topic that is created again under the name of deleted ones has an id that
none of them had, also after a restart in between. A request with the id of a deleted topic is refused with
UNKNOWN_TOPIC_ID, even if a topic of the same name exists: a write adds nothing to that topic, a read returns none of
its records, and a deletion does not delete it.
**Why it matters** A client that does not know of the deletion would otherwise write to, or delete, another topic.
**Kafka says** KIP-516 (topic ids); KIP-848 and KIP-1152 for the later versions of requests.
**Cannot see** Followers, and brokers that were down while a topic was deleted: there is only one node.
**Rejects** tests/plants/gives_a_topic_its_old_id.py, tests/plants/takes_an_old_id_for_its_successor.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import batch, fetch, list_offsets, produce, produce_quietly, versions
from harness.judging.outcome import require
from harness.pytest_plugin.strike import Strike
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest, DeleteTopicState
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.primitives import ZERO_UUID, TopicName, Uuid

pytestmark = [pytest.mark.feature("KIP-516"), pytest.mark.severity("critical"), pytest.mark.kip(516, 848, 1152)]
TIMES = 6
"""How often a topic of the same name is created."""
LATEST = -1


def by_id(topic_id: Uuid) -> DeleteTopicsRequest:
    return DeleteTopicsRequest(topics=(DeleteTopicState(name=None, topic_id=topic_id),), timeout_ms=10_000)


def delete(exchange: Exchange, topic: TopicName, topic_id: Uuid) -> None:
    """Deletes a topic by its id, and waits until it is gone."""
    (found,) = exchange.quietly(by_id(topic_id), 6).responses
    require(found.error_code, ErrorCode.NONE, f"the answer to the deletion of {topic}")
    about = MetadataRequest(topics=(MetadataRequestTopic(name=topic),), allow_auto_topic_creation=False)
    gone = any(
        exchange.quietly(about).topics[0].error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        for _ in exchange.patience()
    )
    require(gone, True, f"that {topic} is gone after its deletion")


def made_again(exchange: Exchange) -> tuple[TopicName, Uuid]:
    """Creates a topic with one record; returns it, and the id of a deleted topic of the same name."""
    topic = exchange.topic()
    former = exchange.topic_id(topic)
    delete(exchange, topic, former)
    exchange.topic()
    produce_quietly(exchange, topic, "of the new topic")
    return topic, former


def end_of(exchange: Exchange, topic: TopicName) -> int:
    offset: int = exchange.quietly(list_offsets(topic, LATEST)).topics[0].partitions[0].offset
    return offset


@pytest.mark.claim("M6")
def test_an_id_is_given_once(exchange: Exchange, strike: Strike) -> None:
    """Topics have different ids, and a topic that is created repeatedly has another id each time."""
    neighbours = [exchange.topic_id(exchange.topic(label)) for label in ("first", "second", "third")]
    ids = []
    for number in range(TIMES):
        topic = exchange.topic()
        ids.append(exchange.topic_id(topic))
        delete(exchange, topic, ids[-1])
        if number == TIMES // 2:
            strike("restart controller")

    given = [*neighbours, *ids]
    again = {str(one) for one in given if given.count(one) > 1}
    exchange.note("ids that were given more than once", len(again))
    require(sorted(again), [], f"the ids that more than one of {len(given)} topics had")
    require(ZERO_UUID in given, False, "that a topic has the id that stands for none")


@pytest.mark.claim("M6")
@versions(13)
def test_a_write_by_the_id_of_a_deleted_topic_is_refused(exchange: Exchange, version: int) -> None:
    """A Produce request with the id of the deleted topic is refused, and nothing is appended to the new one."""
    topic, former = made_again(exchange)
    answer = exchange.ask("a batch by the former id", produce(former, batch("too late")), version)

    code = answer.responses[0].partition_responses[0].error_code
    require(ErrorCode(code), ErrorCode.UNKNOWN_TOPIC_ID, "the answer to a write by the id of a deleted topic")
    require(end_of(exchange, topic), 1, "the end of the topic that has the name now")


@pytest.mark.claim("M6")
@versions(13, 16, 18)
def test_a_read_by_the_id_of_a_deleted_topic_is_refused(exchange: Exchange, version: int) -> None:
    """A Fetch request with the id of the deleted topic is refused, and returns no records."""
    _, former = made_again(exchange)
    answer = exchange.ask("a read by the former id", fetch(former), version)

    (found,) = answer.responses[0].partitions
    require(
        ErrorCode(found.error_code), ErrorCode.UNKNOWN_TOPIC_ID, "the answer to a read by the id of a deleted topic"
    )
    require(bytes(found.records or b""), b"", "the records that come with that answer")


@pytest.mark.claim("M6")
@versions(12, 13)
def test_the_id_of_a_deleted_topic_is_unknown(exchange: Exchange, version: int) -> None:
    """A Metadata request with the id of the deleted topic is answered with UNKNOWN_TOPIC_ID."""
    _, former = made_again(exchange)
    asked = (MetadataRequestTopic(topic_id=former, name=None),)
    answer = exchange.ask(
        "a topic by its former id", MetadataRequest(topics=asked, allow_auto_topic_creation=False), version
    )

    (found,) = answer.topics
    require(ErrorCode(found.error_code), ErrorCode.UNKNOWN_TOPIC_ID, "the answer to the id of a deleted topic")
    require(found.partitions, (), "the partitions that are told with it")


@pytest.mark.claim("M6")
@versions(6)
def test_a_deletion_by_the_id_of_a_deleted_topic_is_refused(exchange: Exchange, version: int) -> None:
    """A DeleteTopics request with the id of the deleted topic is refused, and the new topic stays."""
    topic, former = made_again(exchange)
    answer = exchange.ask("a deletion by the former id", by_id(former), version)

    (found,) = answer.responses
    require(ErrorCode(found.error_code), ErrorCode.UNKNOWN_TOPIC_ID, "the answer to a second deletion by one id")
    require(end_of(exchange, topic), 1, "the end of the topic that has the name now")
