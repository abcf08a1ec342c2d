"""A follower's log becomes its leader's: byte for byte, cut where the logs part, and no further than that.

**Claim** A follower appends what its leader sends with the same offsets, epochs and bytes; what does not match its
checksum it does not append. It asks in the current leader epoch, under its own broker epoch, from its log's end, and
names the epoch of its last record. Where the leader answers that the logs part, it cuts its log there, however low its
high watermark is. Its high watermark follows the leader's, never beyond its own end, and its log start follows the
leader's. When it becomes leader it serves every record that was visible, tells no end before it knows what was
committed (OFFSET_NOT_AVAILABLE), and knows the producers whose records it has followed.
**Why it matters** A follower is the next leader: what it lacks is lost, and what it has beyond its leader is a record
that nobody acknowledged.
**Kafka says** KIP-101, KIP-279 (truncation by leader epoch), KIP-107 (log start), KIP-207 (offsets of a new leader),
KIP-360 (producers after a failover).
**Cannot see** Followers that lose what they have not flushed.
**Rejects** tests/plants/brokers/appends_what_is_damaged.py,
tests/plants/brokers/begins_an_epoch_with_no_high_watermark.py, tests/plants/brokers/believes_any_high_watermark.py,
tests/plants/brokers/fetches_without_a_broker_epoch.py, tests/plants/brokers/forgets_the_producers_that_it_follows.py,
tests/plants/brokers/keeps_its_own_log_start.py, tests/plants/brokers/keeps_what_its_leader_lacks.py,
tests/plants/brokers/names_no_last_epoch.py, tests/plants/brokers/stamps_its_own_epoch_on_what_it_follows.py,
tests/plants/brokers/tells_an_end_before_it_knows.py, tests/plants/brokers/truncates_to_its_high_watermark.py
"""

from __future__ import annotations

import pytest

from harness.clients.guest_broker import GUEST
from harness.clients.led_log import LedLog
from harness.comparing.exchange import Exchange
from harness.comparing.pair import Pair
from harness.comparing.request_forms import batch, fetch, list_offsets, new_producer, produce, records
from harness.judging.outcome import require
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.fetch_request import FetchPartition
from reference_broker.wire.messages.fetch_response import PartitionData
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.records import encode_batch, iter_batches

pytestmark = [
    # A separate cluster: the guest would get replicas of other checks' topics, and its session must not end.
    pytest.mark.cluster(config={"broker.session.timeout.ms": "120000", "replica.fetch.backoff.ms": "100"}),
    pytest.mark.feature("Replication"),
    pytest.mark.severity("blocker"),
    pytest.mark.kip(101, 279, 107, 207, 360),
]
LATEST, EARLIEST = -1, -2


def led_batch(offset: int, epoch: int, *values: str, producer: int = -1, sequence: int = -1) -> bytes:
    """A batch as a leader has it in its log."""
    found = [one._replace(offset=offset + index) for index, one in enumerate(records(*values))]
    return encode_batch(
        found,
        base_offset=offset,
        leader_epoch=epoch,
        producer_id=producer,
        producer_epoch=0 if producer >= 0 else -1,
        base_sequence=sequence,
    )


def led(pair: Pair, *batches: bytes, high_watermark: int = 0, start: int = 0) -> tuple[TopicName, LedLog]:
    """A topic that the guest leads in epoch 0 with these batches."""
    topic = pair.topic(GUEST, pair.node)
    log = pair.guest_leads(topic, *batches, high_watermark=high_watermark, start=start)
    return topic, log


def fetched(pair: Pair, topic: str, offset: int, *, after: int = 0) -> FetchPartition:
    """The node's next fetch from an offset."""
    found = pair.guest.await_fetch(pair.topic_id(topic), offset, after=after)
    require(found is not None, True, f"that the follower fetches from offset {offset} within 30 s")
    assert found is not None
    return found


def served(exchange: Exchange, topic: str, offset: int = 0) -> PartitionData:
    """What a consumer gets of the node."""
    found: PartitionData = exchange.quietly(fetch(topic, offset), 12).responses[0].partitions[0]
    return found


def data_of(found: PartitionData) -> bytes:
    return bytes(found.records) if found.records is not None else b""


def end_of(exchange: Exchange, topic: str, which: int = LATEST, version: int = 7) -> tuple[str, int]:
    """(error, offset) of ListOffsets."""
    (told,) = exchange.ask("where the log ends or starts", list_offsets(topic, which), version).topics[0].partitions
    return ErrorCode(told.error_code).name, told.offset


@pytest.mark.claim("D6", "P4")
def test_a_follower_has_its_leaders_bytes(exchange: Exchange, pair: Pair) -> None:
    """When it leads it serves the batches as they came, each in the epoch in which it was written."""
    batches = led_batch(0, 0, "a", "b"), led_batch(2, 0, "c")
    topic, log = led(pair, *batches)
    fetched(pair, topic, 3)
    pair.guest.change(lambda: setattr(log, "high_watermark", 3))
    pair.move_leadership(topic, pair.node, GUEST)
    pair.guest.fetch(pair.topic_id(topic), 3, leader_epoch=pair.partition(topic).leader_epoch)
    require(
        data_of(served(exchange, topic)), b"".join(batches), "the bytes that the follower serves as the next leader"
    )


@pytest.mark.claim("D6", "M4")
def test_a_follower_says_who_it_is_and_what_it_has(exchange: Exchange, pair: Pair) -> None:
    """Its fetches name the leader epoch, the epoch of its last record, and its broker's epoch, as registered."""
    topic, log = led(pair, led_batch(0, 0, "a"))
    first = fetched(pair, topic, 0)
    require(
        (first.current_leader_epoch, first.last_fetched_epoch), (0, -1), "(leader epoch, last epoch) of an empty log"
    )
    next_one = fetched(pair, topic, 1)
    require((next_one.current_leader_epoch, next_one.last_fetched_epoch), (0, 0), "(leader epoch, last epoch) then")
    require(len(pair.guest.broker_epochs(pair.topic_id(topic))), 1, "how many broker epochs the follower named")
    require(min(pair.guest.broker_epochs(pair.topic_id(topic))) > 0, True, "that the follower names a broker epoch")
    pair.move_leadership(topic, pair.node, GUEST)
    epoch = pair.move_leadership(topic, GUEST, pair.node)
    pair.guest.change(lambda: setattr(log, "epoch", epoch))
    seen = len(pair.guest.fetches(pair.topic_id(topic)))
    require(fetched(pair, topic, 1, after=seen).current_leader_epoch, epoch, "the leader epoch of its fetches later on")


@pytest.mark.claim("D6", "O1")
def test_a_follower_cuts_where_the_logs_part(exchange: Exchange, pair: Pair) -> None:
    """Not at its high watermark, which is lower (KIP-101), and not at its own end of an epoch (KIP-279): it asks next
    from where the leader's epoch ended, and gets what the leader has there."""
    topic = pair.topic(pair.node, GUEST)
    pair.await_leader(topic, pair.node)
    for value in "abc":
        exchange.quietly(produce(topic, batch(value), acks=1), 9)
    epoch = pair.partition(topic).leader_epoch
    log = LedLog(topic, 0, [led_batch(0, epoch, "a", "b")], high_watermark=1)
    pair.guest.lead(pair.topic_id(topic), log)
    later = pair.move_leadership(topic, GUEST, pair.node)
    pair.guest.change(lambda: log.batches.append(led_batch(2, later, "x")))
    first = [one.fetch_offset for one in pair.guest.await_fetches(pair.topic_id(topic), 2)]
    require(first, [3, 2], "the offsets from which the follower fetched first")
    fetched(pair, topic, 3, after=2)
    pair.guest.change(lambda: setattr(log, "high_watermark", 3))
    pair.move_leadership(topic, pair.node, GUEST)
    pair.guest.fetch(pair.topic_id(topic), 3, leader_epoch=pair.partition(topic).leader_epoch)
    found = [(r.value or b"").decode() for one in iter_batches(data_of(served(exchange, topic))) for r in one.records()]
    require(found, ["a", "b", "x"], "what the partition has after the follower has cut its log")


@pytest.mark.claim("D7", "D8")
def test_a_new_leader_tells_no_end_before_it_knows(exchange: Exchange, pair: Pair) -> None:
    """Until its followers have fetched in its epoch it does not know what was committed: ListOffsets says so, in old
    versions by LEADER_NOT_AVAILABLE. What was visible stays visible at once."""
    topic, log = led(pair, led_batch(0, 0, "a"), led_batch(1, 0, "b"), led_batch(2, 0, "c"), high_watermark=1)
    fetched(pair, topic, 3)
    seen = len(pair.guest.fetches(pair.topic_id(topic)))
    pair.guest.change(lambda: setattr(log, "high_watermark", 2))
    fetched(pair, topic, 3, after=seen + 1)  # it has dealt with the answer that told it so
    epoch = pair.move_leadership(topic, pair.node, GUEST)
    require(end_of(exchange, topic), ("OFFSET_NOT_AVAILABLE", -1), "(error, offset) before its followers have fetched")
    require(end_of(exchange, topic, version=4)[0], "LEADER_NOT_AVAILABLE", "the same, in an old version")
    require(served(exchange, topic).high_watermark, 2, "the high watermark of the new leader")
    pair.guest.fetch(pair.topic_id(topic), 3, leader_epoch=epoch)
    require(end_of(exchange, topic), ("NONE", 3), "(error, offset) when the follower has fetched")


@pytest.mark.claim("D7", "D8")
def test_a_high_watermark_is_not_beyond_the_log(exchange: Exchange, pair: Pair) -> None:
    """The leader's may be higher than what the follower has so far."""
    topic, _ = led(pair, led_batch(0, 0, "a"), led_batch(1, 0, "b"), high_watermark=50)
    fetched(pair, topic, 2)
    pair.move_leadership(topic, pair.node, GUEST)
    require(served(exchange, topic).high_watermark, 2, "the high watermark of a leader whose log ends at 2")


@pytest.mark.claim("R4")
def test_a_log_starts_where_the_leaders_does(exchange: Exchange, pair: Pair) -> None:
    """Records that the leader has deleted are not served by the next one."""
    topic, log = led(pair, led_batch(0, 0, "a"), led_batch(1, 0, "b"), led_batch(2, 0, "c"), high_watermark=3)
    fetched(pair, topic, 3)
    seen = len(pair.guest.fetches(pair.topic_id(topic)))
    pair.guest.change(lambda: setattr(log, "start", 2))
    told = fetched(pair, topic, 3, after=seen + 1)  # it has dealt with the answer that told it so
    require(told.log_start_offset, 2, "where the follower's log starts when the leader's does so")
    pair.move_leadership(topic, pair.node, GUEST)
    require(end_of(exchange, topic, EARLIEST), ("NONE", 2), "(error, offset) of the start on the next leader")


@pytest.mark.claim("P4", "D9")
def test_a_damaged_batch_is_not_appended(exchange: Exchange, pair: Pair) -> None:
    """The follower asks for it again, and appends what matches its checksum."""
    whole = led_batch(0, 0, "a")
    topic, log = led(pair, whole[:-1] + bytes((whole[-1] ^ 1,)))
    seen = len(pair.guest.fetches(pair.topic_id(topic)))
    offsets = [one.fetch_offset for one in pair.guest.await_fetches(pair.topic_id(topic), seen + 3)]
    require(set(offsets), {0}, "where the follower goes on after the damage")
    pair.guest.change(lambda: log.batches.__setitem__(0, whole))
    fetched(pair, topic, 1)
    pair.move_leadership(topic, pair.node, GUEST)
    pair.guest.fetch(pair.topic_id(topic), 1, leader_epoch=pair.partition(topic).leader_epoch)
    require(data_of(served(exchange, topic)), whole, "what the follower serves as the next leader")


@pytest.mark.claim("O5", "O6")
def test_a_new_leader_knows_the_producers(exchange: Exchange, pair: Pair) -> None:
    """A batch that was acknowledged by the old leader and is sent again is not appended twice, and a gap between
    sequences is refused."""
    producer = new_producer(exchange)
    first = led_batch(0, 0, "a", producer=producer, sequence=0)
    topic, _ = led(pair, first, led_batch(1, 0, "b", producer=producer, sequence=1))
    fetched(pair, topic, 2)
    epoch = pair.move_leadership(topic, pair.node, GUEST)
    pair.guest.fetch(pair.topic_id(topic), 2, leader_epoch=epoch)

    def sent(words: str, value: str, sequence: int) -> tuple[str, int]:
        data = batch(value, producer_id=producer, producer_epoch=0, base_sequence=sequence)
        answer = exchange.ask(words, produce(topic, data, acks=1), 9).responses[0].partition_responses[0]
        return ErrorCode(answer.error_code).name, answer.base_offset

    require(sent("a batch of before, again", "b", 1), ("NONE", 1), "(error, offset) of a batch that is sent again")
    require(sent("a gap", "d", 3)[0], "OUT_OF_ORDER_SEQUENCE_NUMBER", "the answer to a gap between sequences")
    require(sent("the next", "c", 2), ("NONE", 2), "(error, offset) of the producer's next batch")
