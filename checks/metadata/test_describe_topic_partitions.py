"""DescribeTopicPartitions (key 75) describes partitions page by page.

**Claim** Topics are described in the order of their names, with at most the requested number of partitions in an answer
(but at least one). If there are more, the answer has a cursor, at which the next page continues without gaps or
repetitions. Topics that do not exist, invalid names and invalid cursors are refused.
**Why it matters** Large clusters cannot be described in one answer.
**Kafka says** Protocol guide, DescribeTopicPartitions; KIP-966.
**Cannot see** Eligible leader replicas, which need several brokers.
**Rejects** tests/plants/passes_over_a_partition_between_pages.py, tests/plants/puts_no_limit_on_pages.py
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.request_forms import coordinated, variants
from harness.judging.outcome import require
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.describe_topic_partitions_request import (
    Cursor,
    DescribeTopicPartitionsRequest,
    TopicRequest,
)
from reference_broker.wire.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from reference_broker.wire.primitives import TopicName

pytestmark = [
    pytest.mark.feature("DescribeTopicPartitions"),
    pytest.mark.kip(966),
    pytest.mark.document(
        "Protocol guide, DescribeTopicPartitions",
        "https://kafka.apache.org/protocol.html#The_Messages_DescribeTopicPartitions",
    ),
]


def request(*names: str, limit: int = 2000, cursor: tuple[str, int] | None = None) -> DescribeTopicPartitionsRequest:
    return DescribeTopicPartitionsRequest(
        topics=tuple(TopicRequest(name=TopicName(name)) for name in names),
        response_partition_limit=limit,
        cursor=None if cursor is None else Cursor(topic_name=TopicName(cursor[0]), partition_index=cursor[1]),
    )


def placed(topic: Any) -> list[tuple[int, int, tuple[int, ...]]]:
    """(partition, leader, replicas) of a topic of an answer."""
    return sorted((one.partition_index, one.leader_id, tuple(one.replica_nodes)) for one in topic.partitions)


def test_a_topic_is_described(exchange: Exchange) -> None:
    """Every partition of a topic is described with the same leader and replicas as in Metadata."""
    topic = exchange.topic(partitions=3)
    answer = exchange.ask("a topic of three partitions", request(topic), 0)

    about = MetadataRequest(topics=(MetadataRequestTopic(name=topic),), allow_auto_topic_creation=False)
    (wanted,) = exchange.quietly(about).topics
    require(placed(answer.topics[0]), placed(wanted), "each partition with its leader and replicas")
    assert (answer.topics[0].topic_id, answer.next_cursor) == (wanted.topic_id, None)


def test_topics_come_in_order(exchange: Exchange) -> None:
    """Topics are described in the order of their names, whatever their order in the request."""
    names = [exchange.topic(label) for label in ("c-topic", "a-topic", "b-topic")]
    answer = exchange.ask("three topics out of order", request(*names), 0)

    assert [found.name for found in answer.topics] == sorted(names)


@variants("limit", one=1, two=2, four=4, six=6)
def test_pages_follow_each_other(exchange: Exchange, limit: int) -> None:
    """Pages of a few partitions, each starting at the cursor of the one before, contain every partition once."""
    names = sorted(exchange.topic(label, partitions=count) for label, count in (("a-topic", 3), ("b-topic", 2)))
    cursor: tuple[str, int] | None = None
    told: list[tuple[str, int]] = []
    for page in range(1, 8):
        answer = exchange.ask(f"{limit} partitions, page {page}", request(*names, limit=limit, cursor=cursor), 0)
        new = [(found.name, one.partition_index) for found in answer.topics for one in found.partitions]
        assert len(new) <= limit, f"page {page} of at most {limit} partitions has {len(new)}"
        told += new
        if answer.next_cursor is None:
            break
        cursor = (answer.next_cursor.topic_name, answer.next_cursor.partition_index)

    wanted = [(names[0], 0), (names[0], 1), (names[0], 2), (names[1], 0), (names[1], 1)]
    require(told, wanted, "the list of all partitions, page by page")


def test_an_unknown_topic_is_refused(exchange: Exchange) -> None:
    """A topic that does not exist is refused; the others are described."""
    topic, other = exchange.topic("known"), exchange.name("unknown")
    answer = exchange.ask("a topic that is there and one that is not", request(topic, other), 0)

    codes = {found.name: found.error_code for found in answer.topics}
    assert codes == {topic: ErrorCode.NONE, other: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION}


@variants("name", empty="", dot=".", blank_inside="my topic", too_long="n" * 250)
def test_a_name_that_cannot_be_is_refused(exchange: Exchange, name: str) -> None:
    """A name that no topic can have is refused. (For the empty name the error code is an accident of Kafka.)"""
    answer = exchange.ask(f"a topic named {name[:10]!r}", request(name), 0)

    (found,) = answer.topics
    assert found.partitions == ()
    if name:
        assert found.error_code == ErrorCode.INVALID_TOPIC_EXCEPTION
    else:
        assert found.error_code != ErrorCode.NONE


def test_a_topic_named_twice_is_told_once(exchange: Exchange) -> None:
    """A topic that is named twice in a request is described once."""
    topic = exchange.topic()
    answer = exchange.ask("one topic twice", request(topic, topic), 0)

    assert [found.name for found in answer.topics] == [topic]


@variants("cursor", negative_partition=("", -1), topic_before=("aa", 0), topic_after=("zz", 0))
def test_a_cursor_points_into_the_list(exchange: Exchange, cursor: tuple[str, int]) -> None:
    """A cursor at a partition below 0, or at a topic that was not asked for, is refused."""
    topic = exchange.topic()
    at = (cursor[0] or topic, cursor[1])
    words = f"cursor at {cursor[0] or 'the topic'}, partition {cursor[1]}"
    answer = exchange.ask(words, request(topic, cursor=at), 0)

    assert [found.error_code for found in answer.topics] == [ErrorCode.INVALID_REQUEST]


def test_a_cursor_past_the_last_partition(exchange: Exchange) -> None:
    """With a cursor past the topic's last partition, none of its partitions is described."""
    topic = exchange.topic(partitions=2)
    answer = exchange.ask("cursor at partition 7 of two", request(topic, cursor=(topic, 7)), 0)

    told = [(found.name, found.error_code, found.partitions) for found in answer.topics]
    assert told == [(topic, ErrorCode.NONE, ())]
    assert answer.next_cursor is None


@variants("limit", zero=0, negative=-1)
def test_a_page_has_one_partition_at_least(exchange: Exchange, limit: int) -> None:
    """With a limit of 0 or less a page has one partition, so that paging makes progress."""
    topic = exchange.topic(partitions=2)
    answer = exchange.ask(f"a limit of {limit}", request(topic, limit=limit), 0)

    assert [one.partition_index for one in answer.topics[0].partitions] == [0]
    assert (answer.next_cursor.topic_name, answer.next_cursor.partition_index) == (topic, 1)


def test_a_limit_may_be_beyond_the_brokers(exchange: Exchange) -> None:
    """A limit above the broker's own limit is accepted."""
    answer = exchange.ask("a limit of 2147483647", request(exchange.topic(partitions=2), limit=2147483647), 0)

    assert [one.partition_index for one in answer.topics[0].partitions] == [0, 1]
    assert answer.next_cursor is None


def test_an_internal_topic_says_so(exchange: Exchange) -> None:
    """The topic of committed offsets is marked as internal."""
    coordinated(exchange)
    # Its leader epochs depend on restarts by other checks on the shared cluster, so only some fields are compared.
    (found,) = exchange.quietly(request("__consumer_offsets"), 0).topics
    exchange.note("error, is_internal and partitions", [found.error_code, found.is_internal, len(found.partitions)])

    assert (found.error_code, found.is_internal) == (ErrorCode.NONE, True)
