"""Adapter for confluent-kafka (librdkafka)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import confluent_kafka as ck

from harness.clients.client import (
    ClientTrouble,
    Consumed,
    Consumer,
    Delivery,
    Headers,
    OnChange,
    OnDelivery,
    Producer,
    classified,
)
from harness.history.operations import Assigned, AssignmentChange, Lost, OpType, ProducerIdentity, Revoked
from harness.judging.guarantees import ClientSettings

_QUIET = {"log_level": 0, "reconnect.backoff.max.ms": 500}
_STATISTICS_MS = 500
_FATAL = (ck.KafkaException, SystemError)
"""What poll() and flush() raise after a fatal error of the producer: the error itself or, if a delivery callback has
called into the library and cleared the pending error, SystemError. Each record still gets its delivery report."""


class ConfluentProducer:
    """Producer; a thread of its own polls for delivery reports."""

    def __init__(self, bootstrap: str, settings: ClientSettings, client_id: str) -> None:
        self._producer = ck.Producer(
            {
                **_QUIET,
                "bootstrap.servers": bootstrap,
                "client.id": client_id,
                "acks": settings.acks,
                "enable.idempotence": settings.is_idempotent,
                "max.in.flight.requests.per.connection": settings.in_flight,
                "message.send.max.retries": settings.retries,
                "delivery.timeout.ms": settings.delivery_timeout_ms,
                "request.timeout.ms": settings.request_timeout_ms,
                # request.timeout.ms is only sent to the broker; librdkafka itself waits for socket.timeout.ms.
                "socket.timeout.ms": settings.request_timeout_ms,
                "linger.ms": 5,
                "compression.type": settings.compression,
                # The Java producer's hash; librdkafka's default is a different one.
                "partitioner": "murmur2_random",
                # librdkafka exposes its producer id and its retries only in its statistics.
                "statistics.interval.ms": _STATISTICS_MS,
                "stats_cb": self._take_statistics,
            },
            logger=_silent(),
        )
        self._identity: ProducerIdentity | None = None
        self._is_broken = False
        self._handed_over = 0
        self._transmitted = 0
        self._has_news = threading.Event()
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=client_id, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self._is_closed.is_set():
            try:
                self._producer.poll(0.1)
            except _FATAL:
                self._is_broken = True
                self._is_closed.wait(0.1)

    def send(
        self,
        topic: str,
        partition: int | None,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        timestamp: int | None = None,
        on_delivery: OnDelivery,
    ) -> None:
        """Queues a record; waits while librdkafka's queue is full."""
        options: dict[str, Any] = {"headers": list(headers), "timestamp": timestamp or 0}
        if partition is not None:
            options["partition"] = partition

        def done(error: Any, message: Any) -> None:
            try:
                found = _delivery(error, message)
            except SystemError:
                # A fatal error was pending when librdkafka called back; the failed call has cleared it.
                self._is_broken = True
                found = _delivery(error, message)
            on_delivery(found)

        while True:
            try:
                self._producer.produce(topic, value, key, on_delivery=done, **options)
                self._handed_over += 1
                return
            except BufferError:
                time.sleep(0.01)
            except ck.KafkaException as refusal:
                name = refusal.args[0].name().lstrip("_")
                self._is_broken = self._is_broken or refusal.args[0].fatal()
                on_delivery(Delivery(outcome=classified(name), error=name))
                return

    def flush(self, timeout_s: float) -> None:
        """Waits until every record has been reported as delivered or failed, at most `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                self._producer.flush(max(0.0, deadline - time.monotonic()))
                return
            except _FATAL:
                self._is_broken = True
                if time.monotonic() >= deadline:
                    return
                time.sleep(0.01)

    def _take_statistics(self, text: str) -> None:
        told = json.loads(text)
        owner = told.get("eos", {})
        if owner.get("producer_id", -1) >= 0:
            self._identity = ProducerIdentity(owner["producer_id"], owner["producer_epoch"], is_prompt=False)
        partitions = [each for topic in told["topics"].values() for each in topic["partitions"].values()]
        self._transmitted = sum(each["txmsgs"] for each in partitions)
        self._has_news.set()

    def identity(self) -> ProducerIdentity | None:
        """The producer id and epoch as of the last statistics, which librdkafka emits twice a second."""
        return self._identity

    def retries(self) -> int | None:
        """Record transmissions minus records queued, as of the next statistics; waits for them for up to 1.5 s."""
        self._has_news.clear()
        self._has_news.wait(3 * _STATISTICS_MS / 1000)
        return max(0, self._transmitted - self._handed_over)

    def is_broken(self) -> bool:
        """Whether librdkafka has reported a fatal error."""
        return self._is_broken

    def close(self) -> None:
        """Flushes for up to 1 s, then stops polling for delivery reports."""
        self.flush(1)
        self._is_closed.set()
        self._thread.join(5)


def _silent() -> Any:
    import logging

    logger = logging.getLogger("harness.clients.confluent")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return logger


def _delivery(error: Any, message: Any) -> Delivery:
    if error is not None:
        name = error.name().lstrip("_")
        return Delivery(outcome=classified(name), error=name)
    offset = message.offset()
    return Delivery(
        outcome=OpType.OK,
        partition=message.partition(),
        offset=-1 if offset is None or offset < 0 else offset,
        timestamp=message.timestamp()[1],
    )


class ConfluentConsumer:
    """A Consumer that uses confluent-kafka."""

    def __init__(self, bootstrap: str, settings: ClientSettings, client_id: str, group: str | None) -> None:
        self._group = group or ""
        self._consumer = ck.Consumer(
            {
                **_QUIET,
                "bootstrap.servers": bootstrap,
                "client.id": client_id,
                "group.id": group or f"{client_id}-alone",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": settings.commit == "auto",
                "isolation.level": settings.isolation,
                "socket.timeout.ms": settings.fetch_timeout_ms,
                "session.timeout.ms": settings.session_timeout_ms,
                "heartbeat.interval.ms": 500,
                "fetch.wait.max.ms": 100,
                "fetch.error.backoff.ms": 100,
                "check.crcs": True,
            },
            logger=_silent(),
        )

    def assign(self, partitions: Sequence[tuple[str, int]]) -> None:
        """Reads these partitions from their start."""
        self._consumer.assign([ck.TopicPartition(*where, ck.OFFSET_BEGINNING) for where in partitions])

    def subscribe(self, topics: Sequence[str], on_change: OnChange) -> None:
        """Subscribes to the topics as a member of its group. librdkafka does not expose the generation."""

        def telling(kind: type[AssignmentChange]) -> Callable[[Any, Any], None]:
            def tell(consumer: Any, partitions: Any) -> None:
                where = tuple((found.topic, found.partition) for found in partitions)
                on_change(kind(self._group, where, member=consumer.memberid() or ""))

            return tell

        self._consumer.subscribe(
            list(topics), on_assign=telling(Assigned), on_revoke=telling(Revoked), on_lost=telling(Lost)
        )

    def poll(self, timeout_s: float) -> list[Consumed]:
        """Up to 500 records. Retriable and librdkafka's own (client-side) errors are skipped: librdkafka retries."""
        records = []
        message: Any  # the type hints allow None for fields that are set on every message without an error
        for message in self._consumer.consume(500, timeout_s):
            error = message.error()
            if error is not None:
                if error.retriable() or error.code() < 0:
                    continue
                raise ClientTrouble(str(error))
            records.append(
                Consumed(
                    topic=message.topic(),
                    partition=message.partition(),
                    offset=message.offset(),
                    timestamp=message.timestamp()[1],
                    key=message.key(),
                    value=message.value(),
                    headers=tuple(message.headers() or ()),
                    leader_epoch=-1 if message.leader_epoch() is None else message.leader_epoch(),
                )
            )
        return records

    def seek(self, topic: str, partition: int, offset: int) -> None:
        """Sets the next offset to read."""
        try:
            self._consumer.seek(ck.TopicPartition(topic, partition, offset))
        except ck.KafkaException as refusal:
            raise ClientTrouble(str(refusal)) from refusal

    def position(self, topic: str, partition: int) -> int:
        """The next offset to read."""
        return int(self._consumer.position([ck.TopicPartition(topic, partition)])[0].offset)

    def commit(self, offsets: Mapping[tuple[str, int], int] | None = None) -> None:
        """Commits these offsets; without any, the current positions. Does nothing if there is nothing new to commit."""
        wanted = [ck.TopicPartition(*where, offset) for where, offset in (offsets or {}).items()]
        try:
            if wanted:
                found: Any = self._consumer.commit(offsets=wanted, asynchronous=False)
            else:
                found = self._consumer.commit(asynchronous=False)
            refused = [each for each in found or () if each.error is not None]
            if refused:
                raise ClientTrouble(str(refused[0].error))
        except ck.KafkaException as refusal:
            if refusal.args[0].code() == ck.KafkaError._NO_OFFSET:
                return
            raise ClientTrouble(str(refusal)) from refusal

    def committed(self, topic: str, partition: int) -> int | None:
        """The group's committed offset; None when there is none."""
        try:
            found = self._consumer.committed([ck.TopicPartition(topic, partition)], timeout=10)[0].offset
        except ck.KafkaException as refusal:
            raise ClientTrouble(str(refusal)) from refusal
        return None if found < 0 else int(found)

    def close(self) -> None:
        """Leaves its group, if any."""
        self._consumer.close()


class Confluent:
    """The library `confluent`."""

    name = "confluent"
    most_in_flight = 1_000_000
    acknowledges_by_later = True

    def producer(self, bootstrap: str, settings: ClientSettings, client_id: str) -> Producer:
        """A new producer."""
        return ConfluentProducer(bootstrap, settings, client_id)

    def consumer(self, bootstrap: str, settings: ClientSettings, client_id: str, group: str | None) -> Consumer:
        """A new consumer."""
        return ConfluentConsumer(bootstrap, settings, client_id, group)
