"""DeleteTopics (key 20) deletes topics, by name or by id.

**Claim** A topic whose deletion succeeded is unknown afterwards, and its name can be used again. A topic that does not
exist, or is named in an invalid way, is refused, and no other topic is deleted.
**Why it matters** A deletion cannot be undone, so exactly the requested topics must be deleted.
**Kafka says** Protocol guide, DeleteTopics; KIP-516 (by id), KIP-599 (errors with messages).
**Cannot see** Whether disk space is freed (the broker deletes files later).
**Rejects** tests/plants/keeps_deleted_topics.py, tests/plants/keeps_records_of_a_deleted_topic.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import all_versions, list_offsets, produce_quietly, variants, versions
from harness.judging.outcome import require
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest, DeleteTopicState
from reference_broker.wire.messages.list_offsets_response import ListOffsetsResponse
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.primitives import TopicName, Uuid

pytestmark = [
    pytest.mark.feature("DeleteTopics"),
    pytest.mark.kip(516, 599),
    pytest.mark.document(
        "Protocol guide, DeleteTopics", "https://kafka.apache.org/protocol.html#The_Messages_DeleteTopics"
    ),
]

LATEST, EARLIEST = -1, -2
NO_SUCH_ID = Uuid(bytes(range(16)))


def named(version: int, *names: str) -> DeleteTopicsRequest:
    """The request with the fields that the version uses."""
    topics = tuple(map(TopicName, names))
    if version >= 6:
        return DeleteTopicsRequest(topics=tuple(DeleteTopicState(name=name) for name in topics), timeout_ms=10_000)
    return DeleteTopicsRequest(topic_names=topics, timeout_ms=10_000)


def by_id(*states: tuple[str | None, Uuid]) -> DeleteTopicsRequest:
    return DeleteTopicsRequest(
        topics=tuple(
            DeleteTopicState(name=None if name is None else TopicName(name), topic_id=topic_id)
            for name, topic_id in states
        ),
        timeout_ms=10_000,
    )


def is_gone(exchange: Exchange, name: str) -> bool:
    about = MetadataRequest(topics=(MetadataRequestTopic(name=TopicName(name)),), allow_auto_topic_creation=False)
    return any(
        exchange.quietly(about).topics[0].error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        for _ in exchange.patience(3)
    )


def is_kept(exchange: Exchange, name: str) -> bool:
    """Whether a topic still exists for the controller, which then refuses to create another one of its name."""
    topic = CreatableTopic(name=TopicName(name), num_partitions=1, replication_factor=-1)
    answer = exchange.quietly(CreateTopicsRequest(topics=(topic,), timeout_ms=10_000, validate_only=True))
    return answer.topics[0].error_code == ErrorCode.TOPIC_ALREADY_EXISTS


@all_versions(1, 6)
def test_a_topic_is_deleted_by_name(exchange: Exchange, version: int) -> None:
    """A deleted topic is unknown afterwards."""
    topic = exchange.topic()
    answer = exchange.ask("a topic by name", named(version, topic), version)

    assert [found.error_code for found in answer.responses] == [ErrorCode.NONE]
    assert is_gone(exchange, topic), f"{topic} was deleted, and is still told of"


def test_a_topic_is_deleted_by_id(exchange: Exchange) -> None:
    """From version 6 on a topic may be deleted by its id; the answer contains its name."""
    topic = exchange.topic()
    answer = exchange.ask("a topic by id", by_id((None, exchange.topic_id(topic))), 6)

    assert [(found.name, found.error_code) for found in answer.responses] == [(topic, ErrorCode.NONE)]
    assert is_gone(exchange, topic), f"{topic} was deleted, and is still told of"


@all_versions(1, 6)
def test_an_unknown_name_is_refused(exchange: Exchange, version: int) -> None:
    """A topic that does not exist is refused."""
    answer = exchange.ask("a topic that is not there", named(version, exchange.name("nowhere")), version)

    assert [found.error_code for found in answer.responses] == [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]


def test_an_unknown_id_is_refused(exchange: Exchange) -> None:
    """An id that no topic has is refused."""
    answer = exchange.ask("an id that no topic has", by_id((None, NO_SUCH_ID)), 6)

    assert [found.error_code for found in answer.responses] == [ErrorCode.UNKNOWN_TOPIC_ID]


@variants("state", neither=(None, Uuid(bytes(16))), both=("some-name", NO_SUCH_ID))
def test_a_topic_is_named_in_one_way(exchange: Exchange, state: tuple[str | None, Uuid]) -> None:
    """An entry with both a name and an id, or with neither, is refused."""
    answer = exchange.ask("name and id" if state[0] else "neither name nor id", by_id(state), 6)

    assert [found.error_code for found in answer.responses] == [ErrorCode.INVALID_REQUEST]


@versions(1, 5, 6)
def test_a_name_given_twice_is_refused(exchange: Exchange, version: int) -> None:
    """A name that appears twice in a request is refused, and the topic stays."""
    topic = exchange.topic()
    answer = exchange.ask("one topic twice", named(version, topic, topic), version)

    assert {found.error_code for found in answer.responses} == {ErrorCode.INVALID_REQUEST}
    assert is_kept(exchange, topic), f"{topic} must stay, and is gone"


def test_a_topic_given_by_name_and_by_id_is_refused(exchange: Exchange) -> None:
    """A topic that is named both by its name and by its id is refused, and stays."""
    topic = exchange.topic()
    states = ((topic, Uuid(bytes(16))), (None, exchange.topic_id(topic)))
    answer = exchange.ask("one topic by name and by id", by_id(*states), 6)

    assert {found.error_code for found in answer.responses} == {ErrorCode.INVALID_REQUEST}
    assert is_kept(exchange, topic), f"{topic} must stay, and is gone"


@versions(1, 4, 6)
def test_each_topic_has_an_answer_of_its_own(exchange: Exchange, version: int) -> None:
    """In one request an existing topic is deleted and an unknown one refused; a topic that is not named stays."""
    topic, other, third = exchange.topic("known"), exchange.name("unknown"), exchange.topic("not-named")
    answer = exchange.ask("a topic that is there and one that is not", named(version, topic, other), version)

    codes = {found.name: found.error_code for found in answer.responses}
    assert codes == {topic: ErrorCode.NONE, other: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION}
    assert is_gone(exchange, topic), f"{topic} was deleted, and is still told of"
    assert is_kept(exchange, third), f"{third} must stay, and is gone"


@versions(1, 6)
def test_no_topics_get_an_empty_answer(exchange: Exchange, version: int) -> None:
    """A request without topics is answered without topics."""
    assert exchange.ask("no topics", named(version), version).responses == ()


@versions(6)
def test_a_name_may_be_used_again(exchange: Exchange, version: int) -> None:
    """A topic that is created again under an old name has another id, and none of the old topic's records."""
    topic = exchange.topic()
    old = exchange.topic_id(topic)
    produce_quietly(exchange, topic, "of the old topic")
    answer = exchange.ask("a topic by name", named(version, topic), version)
    assert [found.error_code for found in answer.responses] == [ErrorCode.NONE]
    assert is_gone(exchange, topic), f"{topic} was deleted, and is still told of"
    exchange.topic()

    assert exchange.topic_id(topic) != old
    ends = [only_offset(exchange.quietly(list_offsets(topic, timestamp))) for timestamp in (EARLIEST, LATEST)]
    require(ends, [0, 0], "the first and last offset of the topic that was made anew")


def only_offset(answer: ListOffsetsResponse) -> int:
    ((found,),) = (one.partitions for one in answer.topics)
    return found.offset
