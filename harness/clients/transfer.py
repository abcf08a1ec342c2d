"""Sends records and waits for their deliveries; reads a number of records. For checks without a workload."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.clients.client import (
    ClientTrouble,
    Consumed,
    Consumer,
    Delivery,
    Library,
    Producer,
)
from harness.history.operations import OpType
from harness.hosts import cluster_time as time
from harness.judging.guarantees import ClientSettings
from harness.judging.outcome import require

_POLL_S = 0.2
READ_S = 30.0
_FLUSH_S = 1.5 * ClientSettings().delivery_timeout_ms / 1000
"""1.5 times the default delivery timeout: by then, every record has been delivered or has failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A record to send. Without a partition, the client chooses one by the key."""

    value: bytes | None
    key: bytes | None = None
    partition: int | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp: int | None = None
    """Milliseconds since 1970; None for the client's current time."""


def send_all(producer: Producer, topic: str, records: Sequence[Outgoing]) -> list[Delivery]:
    """Sends records in order; returns their deliveries. ClientTrouble unless all are acknowledged in time."""
    ends: dict[int, Delivery] = {}
    lock = threading.Lock()

    def keeping(number: int) -> Callable[[Delivery], None]:
        def keep(delivery: Delivery) -> None:
            with lock:
                ends[number] = delivery

        return keep

    for number, record in enumerate(records):
        producer.send(
            topic,
            record.partition,
            key=record.key,
            value=record.value,
            headers=record.headers,
            timestamp=record.timestamp,
            on_delivery=keeping(number),
        )
    producer.flush(_FLUSH_S)
    deadline = time.monotonic() + 2.0  # a client may report its last deliveries just after the flush
    while len(ends) < len(records) and time.monotonic() < deadline:
        time.sleep(0.01)
    if len(ends) < len(records):
        raise ClientTrouble(f"{topic}: {len(records) - len(ends)} of {len(records)} records have no answer")
    refused = [(number, end) for number, end in sorted(ends.items()) if end.outcome is not OpType.OK]
    if refused:
        number, end = refused[0]
        raise ClientTrouble(f"{topic}: record {number} was not acknowledged: {end.error}")
    return [ends[number] for number in range(len(records))]


def produce(
    library: Library,
    bootstrap: str,
    topic: str,
    records: Sequence[Outgoing],
    settings: ClientSettings | None = None,
) -> list[Delivery]:
    """`send_all` with a new producer, which is closed afterwards."""
    producer = library.producer(bootstrap, settings or ClientSettings(), f"{topic}-producer")
    try:
        return send_all(producer, topic, records)
    finally:
        producer.close()


def read(consumer: Consumer, count: int, timeout_s: float = READ_S) -> list[Consumed]:
    """Polls a consumer until it has returned `count` records, or `timeout_s` has passed."""
    found: list[Consumed] = []
    deadline = time.monotonic() + timeout_s
    while len(found) < count and time.monotonic() < deadline:
        found += consumer.poll(_POLL_S)
    return found


def read_all(consumer: Consumer, count: int, who: str) -> list[Consumed]:
    """`read`, then BrokenPromise (O3) unless exactly `count` records came. `who` names the reader in the message."""
    found = read(consumer, count)
    require(
        len(found),
        count,
        f"the number of records that {who} read",
        claim="O3",
        promise="a consumer is given every record of its partitions, once",
    )
    return found


def read_partitions(
    library: Library, bootstrap: str, topic: str, partitions: int, count: int, timeout_s: float = READ_S
) -> list[Consumed]:
    """The first `count` records of a topic, read by a new consumer that is assigned all partitions."""
    consumer = library.consumer(bootstrap, ClientSettings(), f"{topic}-reader", None)
    try:
        consumer.assign([(topic, partition) for partition in range(partitions)])
        return read(consumer, count, timeout_s)
    finally:
        consumer.close()
