"""A leader holds back the followers that a throttle names, as far as they are not in sync.

**Claim** Once more bytes than leader.replication.throttled.rate have passed, a follower that is not in sync gets no
records of a partition whose replica on the leader is in the topic's leader.replication.throttled.replicas; it gets
those of other partitions, and once the limit is gone, of this one. A follower in sync gets records in any case.
**Why it matters** A replica that is moved copies all of a log; without a throttle it takes the bandwidth that producers
and consumers need. A throttle that held back replicas in sync would hold up acks=all.
**Kafka says** KIP-73; Kafka documentation, "Limiting bandwidth usage during data migration".
**Cannot see** How exactly the rate is kept; what followers hold back themselves (test_follower_throttles.py).
**Rejects** tests/plants/brokers/sends_followers_all_at_once.py, tests/plants/brokers/throttles_replicas_in_sync.py
"""

from __future__ import annotations

from typing import Final

import pytest

from harness.clients.guest_broker import GUEST
from harness.comparing.exchange import Exchange
from harness.comparing.pair import Pair
from harness.comparing.request_forms import batch, produce
from harness.judging.outcome import require
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.records import iter_batches

pytestmark = [
    # A separate cluster: the guest would get replicas of other checks' topics, and the limit is the broker's.
    pytest.mark.cluster(config={"broker.session.timeout.ms": "120000"}),
    pytest.mark.feature("Replication"),
    pytest.mark.kip(73),
    pytest.mark.setting("leader.replication.throttled.replicas"),
]
RATE: Final = "leader.replication.throttled.rate"
REPLICAS: Final = "leader_replication_throttled_replicas"
LIMIT: Final = "2000"
RECORD: Final = "x" * 60_000
"""A record of it is more than the limit lets pass in all the eleven seconds that count."""


def led_alone(exchange: Exchange, pair: Pair, label: str = "orders", **config: str) -> TopicName:
    """A topic with a record that the node leads; the guest has a replica that is not in sync."""
    topic = pair.topic(GUEST, pair.node, label=label, **config)
    pair.await_leader(topic, GUEST)
    pair.guest.fence()
    pair.await_leader(topic, pair.node)
    answer = exchange.quietly(produce(topic, batch(RECORD)), 9)
    require(answer.responses[0].partition_responses[0].error_code, 0, "the answer to a record")
    pair.guest.unfence()
    return topic


def served(pair: Pair, topic: str, offset: int = 0) -> int:
    """How many batches the guest gets from an offset on."""
    epoch = pair.await_leader(topic, pair.node)
    found = pair.guest.fetch(pair.topic_id(topic), offset, leader_epoch=epoch)
    require(ErrorCode(found.error_code).name, "NONE", "the answer to the guest's fetch")
    return len(list(iter_batches(found.records if found.records is not None else b"")))


@pytest.mark.claim("P10")
def test_a_follower_not_in_sync_is_held_back(exchange: Exchange, pair: Pair) -> None:
    """It gets nothing of the throttled partition, but what it asks for of another, and all when the limit is gone."""
    named = led_alone(exchange, pair, **{REPLICAS: f"0:{pair.node}"})
    other = led_alone(exchange, pair, "payments")
    pair.configure_node(RATE, LIMIT)
    pair.until(lambda: served(pair, named) == 0, "a follower gets nothing once the limit is exceeded")
    require(served(pair, other), 1, "batches of a partition that is not throttled")
    pair.configure_node(RATE, None)
    pair.until(lambda: served(pair, named) == 1, "a follower gets records again when there is no limit")


@pytest.mark.claim("P10", "D4")
def test_a_follower_in_sync_is_not_held_back(exchange: Exchange, pair: Pair) -> None:
    """It gets records however much has passed: acks=all waits for it."""
    topic = led_alone(exchange, pair, **{REPLICAS: f"0:{pair.node}"})
    pair.join_isr(topic, end=1)
    pair.configure_node(RATE, LIMIT)
    for offset in range(1, 4):
        answer = exchange.quietly(produce(topic, batch(RECORD), acks=1), 9)
        require(answer.responses[0].partition_responses[0].error_code, 0, "the answer to a record")
        require(served(pair, topic, offset), 1, f"batches that a follower in sync gets from offset {offset}")
    pair.configure_node(RATE, None)
