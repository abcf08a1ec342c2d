"""Fetch (key 1) reads record batches.

**Claim** A fetch returns whole batches from an offset on, up to the limits in the request, except that the first batch
of an answer may exceed them. If there are too few bytes the fetch waits, is answered when there are enough or when its
time is up, and does not delay requests on other connections. If there is an error, or nothing to wait for, it is
answered at once. Offsets out of range, unknown epochs and unknown topics are refused.
**Why it matters** Every consumer and follower reads with this request.
**Kafka says** Protocol guide, Fetch; KIP-74 (limits), KIP-320 (epochs), KIP-392 (racks), KIP-516
(topic ids), KIP-595 (diverging epochs).
**Cannot see** Followers; preferred replicas; aborted transactions.
**Rejects** tests/plants/holds_back_a_large_batch.py, tests/plants/passes_over_the_limit_of_a_partition.py,
tests/plants/passes_over_the_limit_of_a_fetch.py, tests/plants/gives_each_partition_a_first_batch.py,
tests/plants/answers_readers_at_once.py, tests/plants/wakes_no_reader.py, tests/plants/has_readers_wait_for_nothing.py
"""

from __future__ import annotations

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.observation import Pace
from harness.comparing.request_forms import all_versions, batch, fetch, produce, produce_quietly, variants, versions
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.fetch_request import FetchPartition, FetchRequest, FetchTopic
from reference_broker.wire.messages.fetch_response import FetchResponse, PartitionData
from reference_broker.wire.primitives import BrokerId, TopicName, Uuid
from reference_broker.wire.records import iter_batches

pytestmark = [
    pytest.mark.feature("Fetch"),
    pytest.mark.kip(74, 320, 392, 516, 595),
    pytest.mark.document("Protocol guide, Fetch", "https://kafka.apache.org/protocol.html#The_Messages_Fetch"),
]

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


def filled(exchange: Exchange, batches: int = 3, **config: str) -> TopicName:
    """A topic with batches of two records."""
    topic = exchange.topic(**config)
    for number in range(batches):
        produce_quietly(exchange, topic, f"a{number}", f"b{number}")
    return topic


@all_versions(4, 18)
def test_records_are_read(exchange: Exchange, version: int) -> None:
    """A fetch from the start returns all batches, and the high watermark."""
    topic = filled(exchange)
    answer = exchange.ask("from the start", fetch(at(exchange, topic, version)), version)

    assert (only(answer).high_watermark, offsets(only(answer))) == (6, [0, 2, 4])


@versions(4, 9, 12, 13, 18)
def test_a_batch_is_given_whole(exchange: Exchange, version: int) -> None:
    """A fetch from the middle of a batch returns the whole batch; clients skip the records before their offset."""
    topic = filled(exchange)
    answer = exchange.ask("from the middle of the second batch", fetch(at(exchange, topic, version), 3), version)

    assert offsets(only(answer)) == [2, 4]


@versions(4, 9, 12, 13, 18)
def test_the_end_has_no_records(exchange: Exchange, version: int) -> None:
    """A fetch from the log end offset returns no records and no error."""
    topic = filled(exchange)
    answer = exchange.ask("from the end", fetch(at(exchange, topic, version), 6), version)

    assert (only(answer).error_code, offsets(only(answer))) == (ErrorCode.NONE, [])


@pytest.mark.parametrize("offset", [7, 9_999_999_999, -1, -2])
@versions(4, 9, 12, 13, 18)
def test_an_offset_outside_the_log_is_refused(exchange: Exchange, version: int, offset: int) -> None:
    """Offsets below the log start offset, or above the log end offset, are out of range."""
    topic = filled(exchange)
    answer = exchange.ask(f"offset {offset} of 6", fetch(at(exchange, topic, version), offset), version)

    assert only(answer).error_code == ErrorCode.OFFSET_OUT_OF_RANGE


@versions(4, 9, 12, 13, 18)
def test_an_empty_partition(exchange: Exchange, version: int) -> None:
    """A fetch from offset 0 of an empty partition succeeds, with 0 as the high watermark."""
    answer = exchange.ask("an empty partition", fetch(at(exchange, exchange.topic(), version)), version)

    assert (only(answer).error_code, only(answer).high_watermark) == (ErrorCode.NONE, 0)


@versions(4, 8, 12)
def test_an_unknown_topic_is_refused(exchange: Exchange, version: int) -> None:
    """A topic that does not exist is refused."""
    answer = exchange.ask("a topic that is not there", fetch(exchange.name("nowhere")), version)

    assert only(answer).error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


@variants("topic_id", unknown=NO_SUCH_ID, zero=Uuid(bytes(16)))
@versions(13, 15, 18)
def test_an_unknown_id_is_refused(exchange: Exchange, version: int, topic_id: Uuid) -> None:
    """A topic id that no topic has is answered with UNKNOWN_TOPIC_ID."""
    answer = exchange.ask("an id that no topic has", fetch(topic_id), version)

    assert only(answer).error_code == ErrorCode.UNKNOWN_TOPIC_ID


@pytest.mark.parametrize("partition", [1, -1])
@versions(4, 12, 13, 18)
def test_an_unknown_partition_is_refused(exchange: Exchange, version: int, partition: int) -> None:
    """A partition that does not exist is refused."""
    topic = filled(exchange)
    answer = exchange.ask(
        f"partition {partition} of one", fetch(at(exchange, topic, version), partition=partition), version
    )

    assert only(answer).error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


# -- limits ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [0, 1, 90, 200, 10_000])
@versions(4, 12, 18)
def test_a_partitions_limit(exchange: Exchange, version: int, limit: int) -> None:
    """A partition's limit (bytes) is kept, except for the first batch, which is always returned whole."""
    topic = filled(exchange)
    answer = exchange.ask(
        f"at most {limit} bytes", fetch(at(exchange, topic, version), partition_max_bytes=limit), version
    )

    found, size = only(answer), len(batch("a0", "b0"))
    whole = offsets_of_whole(found, size)
    assert whole == [2 * number for number in range(max(1, min(3, limit // size)))]
    assert len(found.records or b"") <= max(limit, size), (
        f"{len(found.records or b'')} bytes, at most {limit} asked for"
    )


def offsets_of_whole(found: PartitionData, size: int) -> list[int]:
    """Base offsets of the whole batches of an answer; a batch that was cut at the limit is left out."""
    data = bytes(found.records or b"")
    return offsets_in(data[: len(data) // size * size])


def offsets_in(data: bytes) -> list[int]:
    return [one.header.base_offset for one in iter_batches(data)]


@pytest.mark.parametrize("limit", [0, 1, 90, 200, 10_000])
@versions(4, 12, 18)
def test_a_requests_limit(exchange: Exchange, version: int, limit: int) -> None:
    """A request's limit (bytes) is kept over all its partitions, except for the first batch of the first partition that
    has one."""
    topic = exchange.topic(partitions=3)
    for partition in (1, 2):
        produce_quietly(exchange, topic, "a", "b", partition=partition)
    wanted = tuple(FetchPartition(partition=index, partition_max_bytes=1_000_000) for index in (0, 1, 2))
    where = at(exchange, topic, version)
    named = FetchTopic(topic_id=where) if isinstance(where, bytes) else FetchTopic(topic=TopicName(where))
    request = FetchRequest(
        max_wait_ms=0,
        min_bytes=1,
        max_bytes=limit,
        topics=(FetchTopic(topic=named.topic, topic_id=named.topic_id, partitions=wanted),),
    )
    answer = exchange.ask(f"three partitions, the first is empty, {limit} bytes", request, version)

    size = len(batch("a", "b"))
    found = {one.partition_index: offsets_of_whole(one, size) for one in answer.responses[0].partitions}
    assert found == {0: [], 1: [0], 2: [0] if limit >= 2 * size else []}
    total = sum(len(one.records or b"") for one in answer.responses[0].partitions)
    assert total <= max(limit, size), f"{total} bytes, at most {limit} asked for"


@pytest.mark.parametrize("limit", [-1, -2147483648])
def test_negative_limits(exchange: Exchange, limit: int) -> None:
    """A negative limit gets at most the first batch. (Whether it gets one is an accident of Kafka.)"""
    topic = filled(exchange)
    for words, request in (
        (f"a partition's limit of {limit}", fetch(topic, partition_max_bytes=limit)),
        (f"a request's limit of {limit}", fetch(topic, max_bytes=limit)),
    ):
        assert offsets(only(exchange.ask(words, request, 12))) in ([], [0])


def test_no_partitions(exchange: Exchange) -> None:
    """A fetch without partitions is answered at once, whatever its max_wait_ms."""
    request = FetchRequest(max_wait_ms=3_000, min_bytes=1)
    answer = exchange.ask("no topics, wait 3 s", request, 12, waits_ms=3_000, pace=Pace.AT_ONCE)

    assert (answer.error_code, answer.responses) == (ErrorCode.NONE, ())


# -- waiting -----------------------------------------------------------------------------------------------------


@versions(4, 12, 18)
def test_a_fetch_waits_for_records(exchange: Exchange, version: int) -> None:
    """A fetch from the log end offset waits for max_wait_ms."""
    topic = filled(exchange)
    request = fetch(at(exchange, topic, version), 6, max_wait_ms=400)
    answer = exchange.ask("from the end, wait 400 ms", request, version, waits_ms=400, pace=Pace.WAITED)

    assert offsets(only(answer)) == []


@versions(4, 18)
def test_a_fetch_that_waits_is_woken(exchange: Exchange, version: int) -> None:
    """A fetch that waits is answered when a record is appended."""
    topic = filled(exchange)
    pending = exchange.start(
        "from the end, wait 10 s", fetch(at(exchange, topic, version), 6, max_wait_ms=10_000), version, waits_ms=10_000
    )
    assert not pending.is_answered(0.3)
    produce_quietly(exchange, topic, "more")
    assert offsets(only(pending.answer(pace=Pace.AT_ONCE))) == [6]


def test_a_fetch_waits_for_enough_bytes(exchange: Exchange) -> None:
    """Before its time is up, a fetch is answered only when min_bytes are available."""
    topic = filled(exchange)
    pending = exchange.start(
        "from the end, at least 300 bytes, wait 10 s",
        fetch(topic, 6, min_bytes=300, max_wait_ms=10_000),
        12,
        waits_ms=10_000,
    )
    produce_quietly(exchange, topic, "little")
    assert not pending.is_answered(0.3)
    produce_quietly(exchange, topic, "m" * 300)
    assert offsets(only(pending.answer(pace=Pace.AT_ONCE))) == [6, 7]


def test_a_fetch_with_too_little_waits_and_gives_it(exchange: Exchange) -> None:
    """When the time is up, a fetch returns what is available, even if it is less than min_bytes."""
    topic = filled(exchange)
    answer = exchange.ask(
        "from the start, at least 1 MB, wait 400 ms",
        fetch(topic, min_bytes=1_000_000, max_wait_ms=400),
        12,
        waits_ms=400,
        pace=Pace.WAITED,
    )

    assert offsets(only(answer)) == [0, 2, 4]


def test_an_error_is_answered_at_once(exchange: Exchange) -> None:
    """A fetch with an error is answered at once."""
    request = fetch(filled(exchange), 99, max_wait_ms=3_000)
    answer = exchange.ask("an offset out of range, wait 3 s", request, 12, waits_ms=3_000, pace=Pace.AT_ONCE)

    assert only(answer).error_code == ErrorCode.OFFSET_OUT_OF_RANGE


@pytest.mark.parametrize("least", [0, -1])
def test_no_least_is_answered_at_once(exchange: Exchange, least: int) -> None:
    """A fetch with min_bytes of 0 or less is answered at once."""
    answer = exchange.ask(
        f"from the end, at least {least} bytes, wait 3 s",
        fetch(filled(exchange), 6, min_bytes=least, max_wait_ms=3_000),
        12,
        waits_ms=3_000,
        pace=Pace.AT_ONCE,
    )

    assert (only(answer).error_code, offsets(only(answer))) == (ErrorCode.NONE, [])


# -- epochs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("epoch", "code"),
    [
        (-1, ErrorCode.NONE),
        (0, ErrorCode.NONE),
        (5, ErrorCode.UNKNOWN_LEADER_EPOCH),
        (-2, None),
    ],
)
@versions(9, 12, 18)
def test_a_leader_epoch_is_checked(exchange: Exchange, version: int, epoch: int, code: ErrorCode | None) -> None:
    """A fetch with the current leader epoch, or with none, is served; a newer epoch is refused as unknown."""
    topic = filled(exchange)
    answer = exchange.ask(
        f"leader epoch {epoch}", fetch(at(exchange, topic, version), current_leader_epoch=epoch), version
    )

    assert code is None or only(answer).error_code == code


@pytest.mark.parametrize("epoch", [0, 3])
@versions(12, 18)
def test_the_last_fetched_epoch_is_compared(exchange: Exchange, version: int, epoch: int) -> None:
    """A fetch with a known last fetched epoch is served; one with an epoch that never existed is out of range."""
    topic = filled(exchange)
    request = fetch(at(exchange, topic, version), 2, last_fetched_epoch=epoch)
    answer = exchange.ask(f"from 2, last fetched epoch {epoch}", request, version)

    served = (ErrorCode.NONE, [2, 4]) if epoch == 0 else (ErrorCode.OFFSET_OUT_OF_RANGE, [])
    assert (only(answer).error_code, offsets(only(answer))) == served


# -- isolation ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [0, 1, 2])
@versions(4, 12, 18)
def test_isolation_levels(exchange: Exchange, version: int, level: int) -> None:
    """Without transactions both isolation levels read the same; a third one is refused."""
    topic = filled(exchange)
    request = fetch(at(exchange, topic, version), isolation_level=level)
    answer = exchange.ask(f"isolation level {level}", request, version)

    if level == 2:
        assert answer.error_code or only(answer).error_code, "there is no such isolation level"
    else:
        assert (only(answer).error_code, offsets(only(answer))) == (ErrorCode.NONE, [0, 2, 4])


# -- followers ---------------------------------------------------------------------------------------------------


@versions(4, 12)
def test_who_is_no_replica_is_refused(exchange: Exchange, version: int) -> None:
    """A fetch with the replica id of a broker that has no replica of the partition is refused."""
    answer = exchange.ask("in the name of broker 77", fetch(filled(exchange), replica_id=BrokerId(77)), version)

    assert only(answer).error_code == ErrorCode.NOT_LEADER_OR_FOLLOWER


@versions(4, 11, 12)
def test_a_rack_changes_nothing_here(exchange: Exchange, version: int) -> None:
    """Without a replica selector the rack in a request has no effect."""
    answer = exchange.ask("from rack b", fetch(filled(exchange), rack_id="b" if version >= 11 else ""), version)

    assert offsets(only(answer)) == [0, 2, 4]


def test_two_topics_in_the_order_asked_for(exchange: Exchange) -> None:
    """Without a session topics are answered in the order of the request."""
    names = [filled_topic(exchange, label) for label in ("b-topic", "a-topic")]
    wanted = (FetchPartition(partition=0, partition_max_bytes=1000),)
    request = FetchRequest(
        max_wait_ms=0, min_bytes=1, topics=tuple(FetchTopic(topic=name, partitions=wanted) for name in names)
    )
    answer = exchange.ask("two topics", request, 12)

    assert [one.topic for one in answer.responses] == names


def test_two_partitions_of_the_zero_id(exchange: Exchange) -> None:
    """Partitions of a topic id of zeros are refused. (The error code is an accident of Kafka.)"""
    wanted = tuple(FetchPartition(partition=index, partition_max_bytes=1000) for index in (0, 1))
    topics = (FetchTopic(topic_id=Uuid(bytes(16)), partitions=wanted),)
    answer = exchange.ask("two partitions of the zero id", FetchRequest(max_wait_ms=0, topics=topics), 13)

    found = [one.error_code for topic in answer.responses for one in topic.partitions]
    assert answer.error_code or found == [ErrorCode.UNKNOWN_TOPIC_ID] * 2


def filled_topic(exchange: Exchange, label: str) -> TopicName:
    topic = exchange.topic(label)
    produce_quietly(exchange, topic, "a")
    return topic


def test_large_records_come_back_whole(exchange: Exchange) -> None:
    """A batch that is larger than the limits of a fetch is returned whole."""
    topic = exchange.topic(max_message_bytes="3000000")
    exchange.quietly(produce(topic, batch("x" * 2_000_000)), 9)
    answer = exchange.ask("a batch of 2 MB, limits of 1 kB", fetch(topic, partition_max_bytes=1000, max_bytes=1000), 12)

    assert offsets(only(answer)) == [0]


def test_a_fetch_that_waits_does_not_hold_up_others(exchange: Exchange) -> None:
    """While a fetch waits, other connections are served."""
    topic = filled(exchange)
    pending = exchange.start("wait 700 ms", fetch(topic, 6, max_wait_ms=700), 12, waits_ms=700)
    answer = exchange.ask("meanwhile, from the start", fetch(topic), 12)
    assert offsets(only(answer)) == [0, 2, 4]
    assert offsets(only(pending.answer(pace=Pace.WAITED))) == []
