"""Metadata (key 3) describes topics and where their partitions are.

**Claim** Topics are described by name or by id, all of them or those in the request. A topic that does not exist is
unknown, or is created on demand if the request allows it. An invalid name is refused.
**Why it matters** It is the first request of every client; a wrong answer sends records to the wrong broker, or to
none.
**Kafka says** Protocol guide, Metadata; KIP-4 (creation on demand), KIP-430 (operations), KIP-516 (topic ids).
**Cannot see** Clusters of several brokers: leaders on other brokers, offline replicas, different listeners.
**Rejects** tests/plants/leaves_a_partition_out.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import (
    CLUSTER_OPERATIONS,
    TOPIC_OPERATIONS,
    all_versions,
    coordinated,
    variants,
    versions,
)
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.messages.metadata_response import MetadataResponse
from reference_broker.wire.primitives import TopicName, Uuid

pytestmark = [
    pytest.mark.feature("Metadata"),
    pytest.mark.kip(4, 430, 516),
    pytest.mark.document("Protocol guide, Metadata", "https://kafka.apache.org/protocol.html#The_Messages_Metadata"),
]

BAD_NAMES = {
    "empty": "",
    "dot": ".",
    "two_dots": "..",
    "blank_inside": "my topic",
    "slash": "a/b",
    "umlaut": "zürich",
    "too_long": "n" * 250,
}
NO_SUCH_ID = Uuid(bytes(range(16)))


def about(*names: str | None, create: bool = False, **more: object) -> MetadataRequest:
    topics = tuple(MetadataRequestTopic(name=None if name is None else TopicName(name)) for name in names)
    return MetadataRequest(**{"topics": topics, "allow_auto_topic_creation": create, **more})


def by_id(*ids: Uuid, name: str | None = None) -> MetadataRequest:
    own = None if name is None else TopicName(name)
    topics = tuple(MetadataRequestTopic(topic_id=topic_id, name=own) for topic_id in ids)
    return MetadataRequest(topics=topics, allow_auto_topic_creation=False)


@all_versions(0, 13)
def test_a_topic_is_found_by_name(exchange: Exchange, version: int) -> None:
    """An existing topic is described with every partition and its leader."""
    topic = exchange.topic(partitions=3)
    answer = exchange.ask("a topic of three partitions", about(topic, create=version < 4), version)

    found = answer.topics[0]
    assert (found.error_code, found.name) == (ErrorCode.NONE, topic)
    assert sorted(one.partition_index for one in found.partitions) == [0, 1, 2]
    assert all(one.leader_id in [broker.node_id for broker in answer.brokers] for one in found.partitions)


@versions(0, 1, 4, 8, 9, 12, 13)
def test_all_topics_are_listed(exchange: Exchange, version: int) -> None:
    """Without names all topics are listed: null from version 1 on, an empty list in version 0."""
    topic = exchange.topic()
    request = about(create=version < 4) if version == 0 else MetadataRequest(topics=None)
    answer = exchange.ask("all topics", request, version)

    assert topic in [found.name for found in answer.topics]


@versions(1, 4, 9, 12, 13)
def test_no_topics_may_be_asked_for(exchange: Exchange, version: int) -> None:
    """A request with an empty list of topics gets only the brokers."""
    exchange.topic()
    answer = exchange.ask("no topics", about(create=version < 4), version)

    assert answer.topics == ()
    assert len(answer.brokers) >= 1


@versions(4, 8, 9, 12, 13)
def test_an_unknown_topic_is_not_made_unasked(exchange: Exchange, version: int) -> None:
    """A topic that does not exist is unknown, and is not created if the request does not allow it."""
    name = exchange.name("nowhere")
    for turn in ("first", "second"):
        answer = exchange.ask(f"a topic that is not there, creation not allowed, {turn} time", about(name), version)
        assert answer.topics[0].error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


@versions(0, 3, 4, 9, 13)
def test_an_unknown_topic_is_made_on_demand(exchange: Exchange, version: int) -> None:
    """If the request allows creation, a topic that does not exist is unknown at first, and is then created with one
    partition."""
    name = exchange.name("wanted")
    answer = exchange.ask("a topic that is not there, creation allowed", about(name, create=True), version)
    assert answer.topics[0].error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION

    for _ in exchange.patience():
        if len([one for one in exchange.quietly(about(name)).topics[0].partitions if one.leader_id >= 0]):
            break
    answer = exchange.ask("the same a little later", about(name, create=True), version)
    assert (answer.topics[0].error_code, len(answer.topics[0].partitions)) == (ErrorCode.NONE, 1)


@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES)
@pytest.mark.parametrize("create", [False, True], ids=["unasked", "on_demand"])
@versions(8, 12)
def test_a_name_that_cannot_be_is_refused(exchange: Exchange, version: int, create: bool, name: str) -> None:
    """A name that no topic can have is refused, whether creation is allowed or not."""
    answer = exchange.ask(f"a topic named {name[:10]!r}", about(name, create=create), version)

    assert answer.topics[0].error_code == ErrorCode.INVALID_TOPIC_EXCEPTION


def test_names_that_collide_in_metrics_are_not_made(exchange: Exchange) -> None:
    """A topic whose name differs from an existing one only in dots and underscores is not created on demand."""
    label = exchange.name("a.b")
    exchange.topic("a.b")
    other = label.replace(".", "_")
    exchange.form.label(other, "a_b")
    for turn in ("first", "second"):
        answer = exchange.ask(f"a_b where a.b is, {turn} time", about(other, create=True), 9)
        assert answer.topics[0].error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


@versions(1, 9, 12)
def test_a_topic_named_twice_is_answered_once(exchange: Exchange, version: int) -> None:
    """A topic that is named twice in a request is described once."""
    topic = exchange.topic()
    answer = exchange.ask("one topic twice", about(topic, topic, create=True), version)

    assert [found.name for found in answer.topics] == [topic]


@versions(4, 9, 12)
def test_known_and_unknown_topics_are_answered_together(exchange: Exchange, version: int) -> None:
    """Each topic has its own result: an unknown topic does not affect the others."""
    topic, other = exchange.topic("known"), exchange.name("unknown")
    answer = exchange.ask("a topic that is there and one that is not", about(other, topic), version)

    codes = {found.name: found.error_code for found in answer.topics}
    assert codes == {topic: ErrorCode.NONE, other: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION}


@versions(1, 9, 12)
def test_an_internal_topic_says_so(exchange: Exchange, version: int) -> None:
    """The topic of committed offsets exists once a coordinator was requested, and is marked as internal."""
    coordinated(exchange)
    # Its leader epochs depend on restarts by other checks on the shared cluster, so only some fields are compared.
    (found,) = exchange.quietly(about("__consumer_offsets", create=True), version).topics
    exchange.note("error, is_internal and partitions", [found.error_code, found.is_internal, len(found.partitions)])

    assert (found.error_code, found.is_internal) == (ErrorCode.NONE, True)


def only(answer: MetadataResponse) -> tuple[int, str | None]:
    (found,) = answer.topics
    return found.error_code, found.name


@versions(12, 13)
def test_a_topic_is_found_by_id(exchange: Exchange, version: int) -> None:
    """From version 12 on a topic can be requested by its id; the answer contains its name."""
    topic = exchange.topic()
    answer = exchange.ask("a topic by its id", by_id(exchange.topic_id(topic)), version)

    assert only(answer) == (ErrorCode.NONE, topic)


@versions(12, 13)
def test_an_unknown_id_is_refused(exchange: Exchange, version: int) -> None:
    """An id that no topic has is answered with UNKNOWN_TOPIC_ID and without a name."""
    answer = exchange.ask("an id that no topic has", by_id(NO_SUCH_ID), version)

    assert only(answer) == (ErrorCode.UNKNOWN_TOPIC_ID, None)


@versions(12, 13)
def test_an_id_counts_more_than_a_name(exchange: Exchange, version: int) -> None:
    """If an entry has both an id and a name, the id is used."""
    topic = exchange.topic()
    answer = exchange.ask(
        "an id with the name of another topic", by_id(exchange.topic_id(topic), name="other-than-the-id"), version
    )

    assert only(answer) == (ErrorCode.NONE, topic)


@versions(12, 13)
def test_neither_name_nor_id_is_a_question_about_nothing(exchange: Exchange, version: int) -> None:
    """An entry with neither a name nor an id is refused. (The error code is an accident of Kafka.)"""
    answer = exchange.ask("neither name nor id", about(None), version)

    assert all(found.error_code for found in answer.topics)
    assert answer.topics


@versions(12, 13)
def test_ids_and_names_together(exchange: Exchange, version: int) -> None:
    """If a request names some topics by id, those that it names by name are left out."""
    first, second = exchange.topic("first"), exchange.topic("second")
    topics = (
        MetadataRequestTopic(topic_id=exchange.topic_id(first), name=None),
        MetadataRequestTopic(name=second),
    )
    answer = exchange.ask("one by id, another by name", MetadataRequest(topics=topics), version)

    assert [found.name for found in answer.topics] == [first]


@versions(10, 11)
def test_versions_10_and_11_do_not_take_ids(exchange: Exchange, version: int) -> None:
    """Requests of versions 10 and 11 have a field for topic ids, but ids are refused."""
    topic = exchange.topic()
    answer = exchange.ask("a topic by its id", by_id(exchange.topic_id(topic), name="a-name"), version)

    assert answer.topics[0].error_code == ErrorCode.INVALID_REQUEST


@versions(10, 11)
def test_versions_10_and_11_do_not_take_null_names(exchange: Exchange, version: int) -> None:
    """Requests of versions 10 and 11 can contain null names, but these are refused."""
    answer = exchange.ask("neither name nor id", about(None), version)

    assert answer.topics[0].error_code == ErrorCode.INVALID_REQUEST


@versions(8, 9, 10)
def test_operations_on_the_cluster_are_told_when_asked(exchange: Exchange, version: int) -> None:
    """In versions 8 to 10 the answer contains the client's authorized operations on the cluster, on request."""
    request = about(create=True, include_cluster_authorized_operations=True)
    answer = exchange.ask("what may be done with the cluster", request, version)

    told = answer.cluster_authorized_operations
    assert told > 0
    assert told & ~CLUSTER_OPERATIONS == 0


@versions(8, 9, 12, 13)
def test_operations_on_topics_are_told_when_asked(exchange: Exchange, version: int) -> None:
    """From version 8 on the answer contains the client's authorized operations on topics, on request."""
    request = about(exchange.topic(), exchange.name("nowhere"), include_topic_authorized_operations=True)
    answer = exchange.ask("what may be done with a topic that is there and with one that is not", request, version)

    told = answer.topics[0].topic_authorized_operations
    assert told > 0
    assert told & ~TOPIC_OPERATIONS == 0


@versions(9, 12)
def test_a_deleted_topic_is_unknown(exchange: Exchange, version: int) -> None:
    """A deleted topic is unknown by its name, and in versions with ids also by its id."""
    topic = exchange.topic()
    topic_id = exchange.topic_id(topic)
    exchange.quietly(DeleteTopicsRequest(topic_names=(topic,), timeout_ms=5_000), 5)
    for _ in exchange.patience():
        if exchange.quietly(about(topic)).topics[0].error_code:
            break
    answer = exchange.ask("a deleted topic", about(topic), version)
    assert answer.topics[0].error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    if version >= 12:
        answer = exchange.ask("a deleted topic, by its id", by_id(topic_id), version)
        assert answer.topics[0].error_code == ErrorCode.UNKNOWN_TOPIC_ID


@variants("word", null=None, empty="", text="x" * 300)
def test_any_client_id_will_do(exchange: Exchange, word: str | None) -> None:
    """A client id may be null, empty or long."""
    pending = exchange.start("brokers, with a client id of its own", about(create=True), 9, client_id=word)

    assert pending.answer().topics == ()
