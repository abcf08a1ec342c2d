"""A follower asks for no more of what a throttle names, as far as it lacks records that are committed.

**Claim** Once more bytes than follower.replication.throttled.rate have come, a follower asks its leader for no more of
a partition that the topic's follower.replication.throttled.replicas names and of which it lacks committed records. It
goes on with other partitions, and, once the limit is gone, with this one. What it has all of, it asks for in any case.
**Why it matters** A replica that is moved to a broker comes with all of its log; without a throttle it takes the
bandwidth and the disk that the broker's other partitions need. A throttle that held back replicas that have everything
would hold up acks=all.
**Kafka says** KIP-73; Kafka documentation, "Limiting bandwidth usage during data migration".
**Cannot see** How exactly the rate is kept.
**Rejects** tests/plants/brokers/fetches_all_at_once.py, tests/plants/brokers/fetches_nothing_beyond_a_limit.py
"""

from __future__ import annotations

from typing import Final

import pytest

from harness.clients.guest_broker import GUEST
from harness.clients.led_log import LedLog
from harness.comparing.exchange import Exchange
from harness.comparing.pair import Pair
from harness.comparing.request_forms import fetch, records
from harness.judging.outcome import require
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.records import encode_batch, iter_batches

pytestmark = [
    # A separate cluster: the guest would get replicas of other checks' topics, and the limit is the broker's. Bytes
    # count for so long that they still do when a slow machine has dealt with them.
    pytest.mark.cluster(
        config={
            "broker.session.timeout.ms": "120000",
            "replica.fetch.backoff.ms": "100",
            "replication.quota.window.size.seconds": "60",
        }
    ),
    pytest.mark.feature("Replication"),
    pytest.mark.kip(73),
    pytest.mark.setting("follower.replication.throttled.replicas"),
]
RATE: Final = "follower.replication.throttled.rate"
REPLICAS: Final = "follower_replication_throttled_replicas"
LIMIT: Final = "50"
RECORD: Final = "x" * 60_000
"""A record of it is more than the limit lets pass in all the eleven minutes that count."""
MORE: Final = 10
"""A high watermark beyond what the leader has sent: the follower lacks records."""


def record_at(offset: int) -> bytes:
    """A record as a leader of epoch 0 has it in its log."""
    return encode_batch([records(RECORD)[0]._replace(offset=offset)], base_offset=offset, leader_epoch=0)


def led(pair: Pair, label: str, *, high_watermark: int, **config: str) -> tuple[TopicName, LedLog]:
    """A topic that the guest leads, with one record."""
    topic = pair.topic(GUEST, pair.node, label=label, **config)
    return topic, pair.guest_leads(topic, record_at(0), high_watermark=high_watermark)


def await_records(exchange: Exchange, pair: Pair, topic: str, count: int) -> None:
    """Waits until the node, a follower, has so many records."""

    def has() -> bool:
        found = exchange.quietly(fetch(topic, 0), 12).responses[0].partitions[0]
        return len(list(iter_batches(found.records if found.records is not None else b""))) == count

    pair.until(has, f"the follower has {count} records of {topic}")


def await_fetch(pair: Pair, topic: str, offset: int) -> None:
    """Waits until the node asks for records from an offset on."""
    found = pair.guest.await_fetch(pair.topic_id(topic), offset)
    require(found is not None, True, f"that the follower fetches {topic} from offset {offset} within 30 s")


@pytest.mark.claim("P10")
def test_a_follower_does_not_ask_beyond_the_limit(exchange: Exchange, pair: Pair) -> None:
    """Of the throttled partition nothing, of another what there is, and all when the limit is gone."""
    pair.configure_node(RATE, LIMIT)
    other, log_of_other = led(pair, "payments", high_watermark=MORE)
    named, log = led(pair, "orders", high_watermark=MORE, **{REPLICAS: f"0:{pair.node}"})
    await_records(exchange, pair, named, 1)
    for one in (log, log_of_other):
        pair.guest.change(lambda one=one: one.batches.append(record_at(1)))  # type: ignore[misc]
    await_fetch(pair, other, 2)
    asked = [one.fetch_offset for one in pair.guest.fetches(pair.topic_id(named))]
    require(1 in asked, False, "whether the follower asks for more of a partition that is throttled")
    pair.configure_node(RATE, None)
    await_fetch(pair, named, 2)
    exchange.ask("what it has at the end: nothing beyond the two", fetch(named, 5), 12)


@pytest.mark.claim("P10", "D4")
def test_a_follower_that_has_everything_asks_beyond_the_limit(exchange: Exchange, pair: Pair) -> None:
    """It lacks nothing that is committed: what is new has to come to it, or acks=all would wait."""
    topic, log = led(pair, "orders", high_watermark=1, **{REPLICAS: f"0:{pair.node}"})
    await_fetch(pair, topic, 1)
    pair.configure_node(RATE, LIMIT)
    for offset in (1, 2):
        await_fetch(pair, topic, offset)
        pair.guest.change(lambda offset=offset: log.batches.append(record_at(offset)))  # type: ignore[misc]
    await_fetch(pair, topic, 3)
    pair.configure_node(RATE, None)
