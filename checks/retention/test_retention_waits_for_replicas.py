"""Retention takes only what every in-sync replica has.

**Claim** Records that are old enough to go stay while an in-sync follower has not fetched them, with everything in
their segment; when it has, they go. Where the log starts, the follower is told with the next fetch.

**Why it matters** A log that starts beyond its high watermark has no record that is committed and could be read; a
follower that then leads begins elsewhere.

**Kafka says** topic configuration retention.ms; KIP-107 (log start offsets go with fetches).

**Cannot see** several followers; the last stable offset, since the reference has no transactions.

**Rejects** tests/plants/brokers/deletes_what_followers_lack.py
"""

from __future__ import annotations

import pytest

from harness.clients.guest_broker import GUEST
from harness.comparing.exchange import Exchange
from harness.comparing.pair import Pair
from harness.comparing.request_forms import T0, batch, list_offsets, produce
from harness.hosts import cluster_time as time
from harness.judging.outcome import require
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.fetch_response import PartitionData
from reference_broker.wire.primitives import TopicName

pytestmark = [
    # A separate cluster: the guest would get replicas of other checks' topics, and its session must not end.
    pytest.mark.cluster(config={"broker.session.timeout.ms": "120000", "replica.fetch.backoff.ms": "100"}),
    pytest.mark.feature("Retention"),
    pytest.mark.claim("R1", "R4"),
    pytest.mark.kip(107),
]
EARLIEST = -2
TURNS_S = 2.6
"""At least two runs of the retention check."""


def start(exchange: Exchange, words: str, topic: str) -> int:
    """The log start offset."""
    (found,) = exchange.ask(words, list_offsets(topic, EARLIEST), 7).topics[0].partitions
    require(ErrorCode(found.error_code).name, "NONE", f"the answer to ListOffsets ({words})")
    return int(found.offset)


def follow(pair: Pair, topic: TopicName, offset: int) -> PartitionData:
    """The guest's fetch in the current leader epoch."""
    return pair.guest.fetch(pair.topic_id(topic), offset, leader_epoch=pair.await_leader(topic, pair.node))


def test_retention_takes_what_the_follower_has(exchange: Exchange, pair: Pair) -> None:
    """Three old records, each in a segment of its own, of which the follower has none, then one, then all."""
    topic = pair.topic(pair.node, GUEST, segment_ms="1", retention_ms="1000")
    pair.await_leader(topic, pair.node)
    for number in range(3):
        answer = exchange.quietly(produce(topic, batch(f"{number}", timestamps=[T0 + 10 * number]), acks=1), 9)
        require(answer.responses[0].partition_responses[0].error_code, 0, "the error of an append")

    time.sleep(TURNS_S)
    require(start(exchange, "nobody has anything", topic), 0, "where the log starts while the follower has nothing")
    follow(pair, topic, 1)
    pair.until(lambda: start_quietly(exchange, topic) == 1, "the first record goes when the follower has it")
    time.sleep(TURNS_S)
    require(start(exchange, "the follower has one record", topic), 1, "where the log starts when the follower has one")
    follow(pair, topic, 3)
    pair.until(lambda: start_quietly(exchange, topic) == 3, "all records go when the follower has them")
    require(start(exchange, "the follower has all", topic), 3, "where the log starts when the follower has all")
    require(follow(pair, topic, 3).log_start_offset, 3, "the log start offset that the follower is told")


def start_quietly(exchange: Exchange, topic: str) -> int:
    """The log start offset, not observed."""
    return int(exchange.quietly(list_offsets(topic, EARLIEST), 7).topics[0].partitions[0].offset)
