"""Fetch (key 1) in sessions: an answer contains only partitions with changes.

**Claim** In a fetch session an answer contains only the partitions that have changed. Partitions can be removed from a
session, and the others stay in it. An unknown session id or a wrong session epoch is refused.
**Why it matters** Consumers of many partitions use sessions; if a session drops a partition, its records are not read.
**Kafka says** KIP-227 (sessions), KIP-516 (topic ids).
**Cannot see** Eviction from a full cache of sessions.
**Rejects** tests/plants/tells_no_news_in_a_session.py, tests/plants/goes_on_with_any_epoch_of_a_session.py,
tests/plants/forgets_a_whole_session_with_a_partition.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import fetch, produce_quietly, versions
from harness.judging.outcome import require
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.create_topics_request import CreatableTopic, CreateTopicsRequest
from reference_broker.wire.messages.delete_topics_request import DeleteTopicsRequest
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchRequest, FetchTopic, ForgottenTopic
from reference_broker.wire.messages.fetch_response import FetchResponse, PartitionData
from reference_broker.wire.primitives import TopicName, Uuid
from reference_broker.wire.records import iter_batches

pytestmark = [pytest.mark.feature("Fetch"), pytest.mark.kip(227, 516)]

NO_SUCH_ID = Uuid(bytes(range(16)))


def at(exchange: Exchange, topic: str, version: int) -> str | Uuid:
    """The topic's name, or from version 13 on its id."""
    return exchange.topic_id(topic) if version >= 13 else topic


def only(answer: FetchResponse) -> PartitionData:
    ((found,),) = (one.partitions for one in answer.responses)
    return found


def offsets(found: PartitionData) -> list[int]:
    """Base offsets of the batches of an answer."""
    return [one.header.base_offset for one in iter_batches(found.records if found.records is not None else b"")]


def filled(exchange: Exchange, batches: int = 3, label: str = "orders") -> TopicName:
    """A topic with batches of two records."""
    topic = exchange.topic(label)
    for number in range(batches):
        produce_quietly(exchange, topic, f"a{number}", f"b{number}")
    return topic


def session(exchange: Exchange, topic: str, version: int) -> int:
    """The id of a new session that has read a topic to its end."""
    answer = exchange.ask("a new session", fetch(at(exchange, topic, version), session_id=0, session_epoch=0), version)
    assert answer.error_code == ErrorCode.NONE
    assert offsets(only(answer)) == [0, 2, 4]
    found: int = answer.session_id
    return found


def following(session_id: int, epoch: int, **more: object) -> FetchRequest:
    return FetchRequest(**{"max_wait_ms": 0, "min_bytes": 1, "session_id": session_id, "session_epoch": epoch, **more})


def again(topic: TopicName) -> CreatableTopic:
    return CreatableTopic(name=topic, num_partitions=1, replication_factor=-1)


@versions(7, 12, 13, 18)
def test_a_session_tells_what_is_new(exchange: Exchange, version: int) -> None:
    """In a session an answer contains only partitions with records to read or other changes."""
    topic = filled(exchange)
    own = session(exchange, topic, version)
    assert own > 0
    answer = exchange.ask("the same from 0 again", following(own, 1), version)
    assert offsets(only(answer)) == [0, 2, 4]
    where = at(exchange, topic, version)
    moved = fetch(where, 6, session_id=own, session_epoch=2)
    answer = exchange.ask("from the end", moved, version)
    assert (answer.error_code, answer.responses) == (ErrorCode.NONE, ())
    answer = exchange.ask("no news", following(own, 3), version)
    assert (answer.error_code, answer.responses) == (ErrorCode.NONE, ())
    produce_quietly(exchange, topic, "more")
    answer = exchange.ask("one more batch", following(own, 4), version)
    require([offsets(one) for told in answer.responses for one in told.partitions], [[6]], "the news of the session")


@versions(7, 12, 13)
def test_a_session_forgets(exchange: Exchange, version: int) -> None:
    """After its only partition is removed, a session is closed."""
    topic = filled(exchange)
    own = session(exchange, topic, version)
    where = at(exchange, topic, version)
    gone = (
        ForgottenTopic(topic_id=where, partitions=(0,))
        if isinstance(where, bytes)
        else ForgottenTopic(topic=TopicName(where), partitions=(0,))
    )
    answer = exchange.ask("forget the only partition", following(own, 1, forgotten_topics_data=(gone,)), version)
    assert (answer.error_code, answer.responses) == (ErrorCode.NONE, ())
    answer = exchange.ask("the session once more", following(own, 2), version)
    assert answer.error_code == ErrorCode.FETCH_SESSION_ID_NOT_FOUND


def test_a_session_tells_what_it_has_not_forgotten(exchange: Exchange) -> None:
    """If one of two partitions is removed from a session, later answers contain only records of the other one."""
    gone, kept = filled(exchange, label="gone"), filled(exchange, label="kept")
    wanted = tuple(
        FetchTopic(topic=name, partitions=(FetchPartition(partition=0, fetch_offset=6, partition_max_bytes=1000),))
        for name in (gone, kept)
    )
    own = exchange.quietly(following(0, 0, topics=wanted), 12).session_id
    forgotten = ForgottenTopic(topic=gone, partitions=(0,))
    exchange.quietly(following(own, 1, forgotten_topics_data=(forgotten,)), 12)
    produce_quietly(exchange, gone, "news")
    produce_quietly(exchange, kept, "news")

    answer = exchange.quietly(following(own, 2), 12)

    told = [(one.topic, offsets(part)) for one in answer.responses for part in one.partitions]
    require(told, [(kept, [6])], "the news of the session (topic, offsets)")


@versions(7, 12, 18)
def test_a_session_may_be_closed(exchange: Exchange, version: int) -> None:
    """A session epoch of -1 closes a session, and the fetch is served without one."""
    topic = filled(exchange)
    own = session(exchange, topic, version)
    answer = exchange.ask(
        "close the session", fetch(at(exchange, topic, version), session_id=own, session_epoch=-1), version
    )
    assert (answer.error_code, answer.session_id, offsets(only(answer))) == (ErrorCode.NONE, 0, [0, 2, 4])
    answer = exchange.ask("the session once more", following(own, 1), version)
    assert answer.error_code == ErrorCode.FETCH_SESSION_ID_NOT_FOUND


@pytest.mark.parametrize("epoch", [2, 7, -2])
@versions(7, 12, 18)
def test_a_sessions_epochs_follow_each_other(exchange: Exchange, version: int, epoch: int) -> None:
    """A session epoch that is not the next one is refused."""
    own = session(exchange, filled(exchange), version)
    answer = exchange.ask(f"epoch {epoch} where 1 is next", following(own, epoch), version)

    assert answer.error_code == ErrorCode.INVALID_FETCH_SESSION_EPOCH


@versions(7, 12, 18)
def test_an_unknown_session_is_refused(exchange: Exchange, version: int) -> None:
    """A session id that does not exist is refused."""
    answer = exchange.ask("session 12345", following(12345, 1), version)

    assert answer.error_code == ErrorCode.FETCH_SESSION_ID_NOT_FOUND


@versions(7, 12)
def test_errors_are_told_again_in_a_session(exchange: Exchange, version: int) -> None:
    """A partition with an error is in every answer of a session."""
    topic, other = filled(exchange), exchange.name("nowhere")
    wanted = (FetchPartition(partition=0, partition_max_bytes=1000),)
    request = following(
        0,
        0,
        topics=(FetchTopic(topic=topic, partitions=wanted), FetchTopic(topic=TopicName(other), partitions=wanted)),
    )
    own = exchange.ask("a topic that is there and one that is not, in a new session", request, version).session_id
    answer = exchange.ask("the session goes on", following(own, 1), version)
    codes = {one.topic: one.partitions[0].error_code for one in answer.responses}
    assert codes[TopicName(other)] == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


def test_an_unknown_id_in_a_session(exchange: Exchange) -> None:
    """An unknown topic id is in every answer of a session."""
    answer = exchange.ask("an unknown id in a new session", fetch(NO_SUCH_ID, session_id=0, session_epoch=0), 13)
    assert only(answer).error_code == ErrorCode.UNKNOWN_TOPIC_ID
    answer = exchange.ask("the session goes on", following(answer.session_id, 1), 13)
    assert only(answer).error_code == ErrorCode.UNKNOWN_TOPIC_ID


def test_a_session_keeps_to_ids_or_names(exchange: Exchange) -> None:
    """A session that began with topic ids cannot continue with names, nor the other way round."""
    topic = filled(exchange)
    own = session(exchange, topic, 13)
    answer = exchange.ask("a session of ids in version 12", fetch(topic, session_id=own, session_epoch=1), 12)
    assert answer.error_code == ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR
    own = session(exchange, topic, 12)
    answer = exchange.ask(
        "a session of names in version 13", fetch(exchange.topic_id(topic), session_id=own, session_epoch=1), 13
    )
    assert answer.error_code == ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR


@versions(13, 18)
def test_a_topic_that_was_made_again_is_another(exchange: Exchange, version: int) -> None:
    """A session with topic ids does not continue with a new topic of the same name."""
    topic = filled(exchange)
    own = session(exchange, topic, version)
    exchange.quietly(DeleteTopicsRequest(topic_names=(topic,), timeout_ms=10_000), 5)
    for _ in exchange.patience():
        made = exchange.quietly(CreateTopicsRequest(topics=(exchange.led(again(topic)),), timeout_ms=10_000)).topics[0]
        if made.error_code == ErrorCode.NONE:
            break
    exchange.await_topic(topic)
    answer = exchange.ask("a session whose topic was made again", following(own, 1), version)

    assert only(answer).error_code == ErrorCode.INCONSISTENT_TOPIC_ID
