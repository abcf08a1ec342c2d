"""A leader counts on a follower for what it has fetched, and for nothing else.

**Claim** With acks=all a record is acknowledged only when every in-sync follower has fetched beyond it, and until then
no reader sees it, ListOffsets does not tell it, and DeleteRecords waits for it; after the time of the request the
answer is REQUEST_TIMED_OUT. A fetch of a follower says what it has only if it names the current leader epoch
(FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH) and its broker's current epoch (NOT_LEADER_OR_FOLLOWER), and only if its log
is a prefix of the leader's: else the leader answers where the logs part, and counts nothing. A follower that is not in
sync joins the ISR only when it has all that is committed. While fewer replicas than min.insync.replicas are in sync,
acks=all is refused with NOT_ENOUGH_REPLICAS, and what acks=1 appends is not visible. A write that is pending when the
leader resigns is answered with NOT_LEADER_OR_FOLLOWER.
**Why it matters** Each of these rules keeps acknowledged records: without any one of them a record can be acknowledged
that the next leader does not have.
**Kafka says** KIP-101, KIP-279 (where logs part), KIP-320 (fencing by leader epoch), KIP-497 (ISR), KIP-903 (fencing by
broker epoch), KIP-966 (min.insync.replicas), producer configuration acks.
**Cannot see** Followers that lose what they have fetched.
**Rejects** tests/plants/brokers/acknowledges_before_replication.py,
tests/plants/brokers/acknowledges_when_it_resigns.py, tests/plants/brokers/counts_a_diverging_fetch.py,
tests/plants/brokers/counts_followers_of_before.py, tests/plants/brokers/deletes_records_alone.py,
tests/plants/brokers/ignores_min_insync_replicas.py, tests/plants/brokers/never_says_where_logs_part.py,
tests/plants/brokers/serves_followers_of_any_epoch.py, tests/plants/brokers/serves_what_is_not_replicated.py,
tests/plants/brokers/shows_what_too_few_have.py, tests/plants/brokers/takes_lagging_followers_into_the_isr.py,
tests/plants/brokers/takes_records_as_a_follower.py, tests/plants/brokers/tells_the_end_that_nobody_has.py,
tests/plants/brokers/tells_where_logs_part_one_too_late.py
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.clients.guest_broker import GUEST
from harness.comparing.exchange import Exchange
from harness.comparing.pair import Pair
from harness.comparing.request_forms import batch, delete_records, fetch, list_offsets, produce
from harness.judging.outcome import require
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.fetch_response import PartitionData
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.records import iter_batches

pytestmark = [
    # A separate cluster: the guest would get replicas of other checks' topics, and its session must not end.
    pytest.mark.cluster(config={"broker.session.timeout.ms": "120000", "replica.fetch.backoff.ms": "100"}),
    pytest.mark.feature("Replication"),
    pytest.mark.severity("blocker"),
    pytest.mark.kip(101, 279, 320, 497, 903, 966),
]
SHORT_MS = 600
"""Long enough for an answer that does not wait, as tests of a busy machine have shown."""
LONG_MS = 60_000


@pytest.fixture
def topic(pair: Pair) -> TopicName:
    """A topic on both brokers, which the node leads."""
    name = pair.topic(pair.node, GUEST)
    pair.await_leader(name, pair.node)
    return name


def visible(exchange: Exchange, topic: str) -> list[str]:
    """The values that a consumer gets."""
    found = exchange.quietly(fetch(topic), 12).responses[0].partitions[0]
    return values(found)


def values(found: PartitionData) -> list[str]:
    """The values of the records in an answer."""
    data = found.records if found.records is not None else b""
    return [(record.value or b"").decode() for one in iter_batches(data) for record in one.records()]


def written(
    exchange: Exchange, words: str, topic: str, value: str, *, acks: int = -1, timeout_ms: int = LONG_MS
) -> int:
    """The error code of a produced record."""
    answer = exchange.ask(words, produce(topic, batch(value), acks=acks, timeout_ms=timeout_ms), 9)
    return int(answer.responses[0].partition_responses[0].error_code)


def follow(pair: Pair, topic: str, offset: int, **more: Any) -> PartitionData:
    """The guest's fetch in the current leader epoch."""
    epoch = pair.await_leader(topic, pair.node)
    return pair.guest.fetch(pair.topic_id(topic), offset, leader_epoch=epoch, **more)


@pytest.mark.claim("D4", "D1")
def test_a_record_is_acknowledged_when_the_follower_has_it(exchange: Exchange, pair: Pair, topic: TopicName) -> None:
    """Not before: the answer is REQUEST_TIMED_OUT while the follower does not fetch. Its next fetch acknowledges."""
    code = written(exchange, "a record that nobody fetches", topic, "a", timeout_ms=SHORT_MS)
    require(ErrorCode(code).name, "REQUEST_TIMED_OUT", "the answer to acks=all while the follower has nothing")
    pending = exchange.start("a record that is fetched", produce(topic, batch("b"), timeout_ms=LONG_MS), 9)
    pair.until(lambda: values(follow(pair, topic, 0)) == ["a", "b"], "the leader serves both records to its follower")
    require(pending.is_answered(0), False, "that the record is acknowledged when the follower was sent it")
    follow(pair, topic, 2)
    answer = pending.answer()
    code = answer.responses[0].partition_responses[0].error_code
    require(ErrorCode(code).name, "NONE", "the answer when the follower has fetched beyond the record")


@pytest.mark.claim("D8")
def test_readers_see_what_the_follower_has(exchange: Exchange, pair: Pair, topic: TopicName) -> None:
    """Consumers get nothing above the high watermark, and ListOffsets tells that as the end."""
    written(exchange, "two records", topic, "a", acks=1)
    written(exchange, "two records", topic, "b", acks=1)
    for version in (4, 12, 16):
        where = pair.topic_id(topic) if version > 12 else topic
        found = exchange.ask("what nobody has", fetch(where), version).responses[0].partitions[0]
        require((found.high_watermark, values(found)), (0, []), "(high watermark, values) that no follower has")
    (told,) = exchange.ask("the end", list_offsets(topic, -1), 7).topics[0].partitions
    require(told.offset, 0, "the end that ListOffsets tells while no follower has anything")
    follow(pair, topic, 1)
    require(visible(exchange, topic), ["a"], "what consumers see when the follower has one record")
    follow(pair, topic, 2)
    require(visible(exchange, topic), ["a", "b"], "what consumers see when the follower has both")


@pytest.mark.claim("R4")
def test_records_are_deleted_when_the_follower_knows(exchange: Exchange, pair: Pair, topic: TopicName) -> None:
    """DeleteRecords waits until the follower's log starts there too, or its time is over."""
    written(exchange, "two records", topic, "a", acks=1)
    written(exchange, "two records", topic, "b", acks=1)
    follow(pair, topic, 2)
    for version in (0, 2):
        answer = exchange.ask("a deletion", delete_records(topic, 1, timeout_ms=SHORT_MS), version)
        (found,) = answer.topics[0].partitions
        require(ErrorCode(found.error_code).name, "REQUEST_TIMED_OUT", "the answer before the follower has deleted")
    pending = exchange.start("a deletion that is followed", delete_records(topic, 1, timeout_ms=LONG_MS), 2)
    require(follow(pair, topic, 2).log_start_offset, 1, "the log start that the leader tells its follower")
    follow(pair, topic, 2, log_start=1)
    (found,) = pending.answer().topics[0].partitions
    require((ErrorCode(found.error_code).name, found.low_watermark), ("NONE", 1), "the answer when it has deleted")


@pytest.mark.claim("P6", "O1")
def test_a_follower_of_another_epoch_is_refused(exchange: Exchange, pair: Pair, topic: TopicName) -> None:
    """A fetch that names an old or a coming leader epoch is refused, and counts for nothing."""
    pair.move_leadership(topic, GUEST, pair.node)
    epoch = pair.move_leadership(topic, pair.node, GUEST)
    written(exchange, "a record", topic, "a", acks=1)
    where = pair.topic_id(topic)
    for named, wanted in ((epoch - 1, "FENCED_LEADER_EPOCH"), (epoch + 1, "UNKNOWN_LEADER_EPOCH")):
        found = pair.guest.fetch(where, 1, leader_epoch=named)
        require(ErrorCode(found.error_code).name, wanted, f"the answer to a follower of epoch {named}, not {epoch}")
    require(visible(exchange, topic), [], "what consumers see when only refused fetches came")


@pytest.mark.claim("M4")
def test_a_follower_that_was_registered_anew_is_refused(exchange: Exchange, pair: Pair, topic: TopicName) -> None:
    """A fetch under another broker epoch counts for nothing: what that broker had may be lost since (KIP-903)."""
    written(exchange, "a record", topic, "a", acks=1)
    found = follow(pair, topic, 1, broker_epoch=pair.guest.epoch - 1)
    require(visible(exchange, topic), [], "what consumers see when the follower fetched under an old broker epoch")
    require(ErrorCode(found.error_code).name, "NOT_LEADER_OR_FOLLOWER", "the answer to an old broker epoch")


@pytest.mark.claim("D6", "D4")
def test_a_diverging_follower_is_told_where_and_not_counted(exchange: Exchange, pair: Pair, topic: TopicName) -> None:
    """A follower whose last record is of an epoch that the leader has not, or beyond where it ended, has to truncate
    first; the high watermark does not count on it (KAFKA-13141)."""
    written(exchange, "two records of the first epoch", topic, "a", acks=1)
    written(exchange, "two records of the first epoch", topic, "b", acks=1)
    follow(pair, topic, 2)
    first = pair.partition(topic).leader_epoch
    pair.move_leadership(topic, GUEST, pair.node)
    later = pair.move_leadership(topic, pair.node, GUEST)
    written(exchange, "three records of a later epoch", topic, "c", acks=1)
    written(exchange, "three records of a later epoch", topic, "d", acks=1)
    written(exchange, "three records of a later epoch", topic, "e", acks=1)
    for last, offset in ((first, 4), (later - 1, 5)):
        found = follow(pair, topic, offset, last_epoch=last)
        told = (found.diverging_epoch.epoch, found.diverging_epoch.end_offset)
        require(told, (first, 2), f"where the logs part for a follower that ends at {offset} in epoch {last}")
        require(values(found), [], "the records beside a diverging epoch")
    require(visible(exchange, topic), ["a", "b"], "what consumers see when only diverging fetches came")
    require(values(follow(pair, topic, 2, last_epoch=first)), ["c", "d", "e"], "what a follower gets after truncating")


@pytest.mark.claim("D5", "D1")
def test_a_follower_joins_the_isr_when_it_has_all(exchange: Exchange, pair: Pair) -> None:
    """A fetch below the high watermark does not make a replica in sync; one at the end does."""
    topic = pair.topic(GUEST, pair.node)
    pair.await_leader(topic, GUEST)
    pair.guest.fence()  # the node leads a new epoch, in which the guest has not been in sync
    pair.await_leader(topic, pair.node)
    for value in "abc":
        require(written(exchange, "a record of the leader alone", topic, value), 0, "the answer of a leader alone")
    pair.guest.unfence()
    for offset in (0, 2):
        follow(pair, topic, offset)
        code = written(exchange, "a record beside a follower that lags", topic, "x", timeout_ms=10_000)
        require(ErrorCode(code).name, "NONE", f"the answer when a replica not in sync has fetched up to {offset}")
    pair.join_isr(topic, end=5)


@pytest.mark.claim("D3", "M11")
def test_too_few_replicas_in_sync_take_nothing(exchange: Exchange, pair: Pair) -> None:
    """acks=all is refused, and what acks=1 appends is not visible until enough replicas are in sync (KIP-966)."""
    topic = pair.topic(pair.node, GUEST, min_insync_replicas="2")
    pair.await_leader(topic, pair.node)
    pair.guest.fence()
    pair.await_isr(topic, pair.node)
    code = written(exchange, "a record for two", topic, "for two")
    require(ErrorCode(code).name, "NOT_ENOUGH_REPLICAS", "the answer to acks=all with one of two in sync")
    require(written(exchange, "a record for one", topic, "for one", acks=1), 0, "the answer to acks=1")
    require(visible(exchange, topic), [], "what consumers see while too few replicas are in sync")
    pair.guest.unfence()
    pair.join_isr(topic, end=1)
    pair.until(lambda: visible(exchange, topic) == ["for one"], "consumers see the record of acks=1")


@pytest.mark.claim("P7", "D1")
def test_a_pending_write_is_refused_when_the_leader_resigns(exchange: Exchange, pair: Pair, topic: TopicName) -> None:
    """It may or may not survive: its producer must ask the new leader."""
    pending = exchange.start("a record that waits", produce(topic, batch("a"), timeout_ms=LONG_MS), 9)
    pair.until(lambda: values(follow(pair, topic, 0)) == ["a"], "the leader has appended the record")
    pair.move_leadership(topic, GUEST, pair.node)
    answer = pending.answer()
    code = answer.responses[0].partition_responses[0].error_code
    require(ErrorCode(code).name, "NOT_LEADER_OR_FOLLOWER", "the answer to a write that waits when the leader resigns")
    code = written(exchange, "a record for another leader", topic, "b", acks=1)
    require(ErrorCode(code).name, "NOT_LEADER_OR_FOLLOWER", "the answer of a follower to a write")
