"""Adapter for kafka-python."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

from kafka import KafkaConsumer, KafkaProducer
from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata, TopicPartition

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

_JOINING_S = 2.0
"""Shortest poll while joining a group. If a poll times out between JoinGroup and SyncGroup, kafka-python 3.0.12 drops
the response: it considers itself a member, but sends no heartbeats and gets no partitions. Long polls make this
rare."""
_RECONNECT_MS = 500
"""Longest pause between two attempts to connect. The default of 30 s would delay finding a restarted broker."""
_LOG = logging.getLogger(__name__)
_NAMES = {
    "MessageSizeTooLargeError": "MESSAGE_TOO_LARGE",
    "RecordTooLargeError": "MESSAGE_TOO_LARGE",
    "InvalidTopicError": "INVALID_TOPIC_EXCEPTION",
}


def error_name(error: BaseException) -> str:
    """Kafka's name of an exception: "NotLeaderOrFollowerError" is "NOT_LEADER_OR_FOLLOWER"."""
    name = type(error).__name__
    return _NAMES.get(name) or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.removesuffix("Error")).upper()


class KafkaPythonProducer:
    """A Producer that uses kafka-python."""

    def __init__(self, bootstrap: str, settings: ClientSettings, client_id: str) -> None:
        try:
            self._producer = KafkaProducer(
                bootstrap_servers=bootstrap.split(","),
                client_id=client_id,
                acks=settings.acks if settings.acks == "all" else int(settings.acks),
                enable_idempotence=settings.is_idempotent,
                max_in_flight_requests_per_connection=settings.in_flight,
                retries=settings.retries,
                delivery_timeout_ms=settings.delivery_timeout_ms,
                request_timeout_ms=settings.request_timeout_ms,
                max_block_ms=settings.delivery_timeout_ms,
                reconnect_backoff_max_ms=_RECONNECT_MS,
                linger_ms=5,
                compression_type=None if settings.compression == "none" else settings.compression,
            )
        except KafkaError as trouble:
            raise ClientTrouble(f"{type(trouble).__name__}: {trouble}") from trouble
        self._retried = 0
        self._count_retries()

    def _count_retries(self) -> None:
        """Counts the records of each batch that is resent; kafka-python's own metric is only a rate."""
        sender = self._producer._sender
        record_retries = sender._record_retries

        def counting(batch: Any) -> None:
            self._retried += batch.record_count
            record_retries(batch)

        sender._record_retries = counting

    def identity(self) -> ProducerIdentity | None:
        """The producer id and epoch; None before the broker has assigned them."""
        manager = self._producer._transaction_manager
        found = manager.producer_id_and_epoch if manager else None
        return ProducerIdentity(found.producer_id, found.epoch) if found and found.is_valid else None

    def retries(self) -> int | None:
        """The number of records in batches that were resent."""
        return self._retried

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
        """Queues a record; may wait for metadata or buffer memory."""

        def done(found: Any) -> None:
            offset = -1 if found.offset is None else found.offset
            on_delivery(
                Delivery(outcome=OpType.OK, partition=found.partition, offset=offset, timestamp=found.timestamp or -1)
            )

        def failed(error: BaseException) -> None:
            on_delivery(_failure(error))

        try:
            future = self._producer.send(
                topic, value=value, key=key, headers=list(headers), partition=partition, timestamp_ms=timestamp
            )
        except (KafkaError, AssertionError, ValueError) as error:
            failed(error)
            return
        future.add_callback(done)
        future.add_errback(failed)

    def flush(self, timeout_s: float) -> None:
        """Waits until every record has been reported as delivered or failed, at most `timeout_s`."""
        try:
            self._producer.flush(timeout_s)
        except KafkaError:
            return

    def is_broken(self) -> bool:
        """Whether the transaction manager has a fatal error."""
        manager = self._producer._transaction_manager
        return manager is not None and bool(manager.has_fatal_error())

    def close(self) -> None:
        """Closes the producer within 3 s; records that were not delivered by then may get no delivery report."""
        try:
            self._producer.close(timeout=3)
        except KafkaError as trouble:
            _LOG.debug("the producer could not be closed in time: %s", trouble)


def _failure(error: BaseException) -> Delivery:
    name = error_name(error)
    return Delivery(outcome=classified(name), error=f"{name}: {error}")


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """Reports assigned, revoked and lost partitions to the workload."""

    def __init__(self, group: str, consumer: KafkaConsumer, on_change: OnChange) -> None:
        self._group = group
        self._consumer = consumer
        self._on_change = on_change

    def _tell(self, kind: type[AssignmentChange], partitions: Any) -> None:
        generation = self._consumer._coordinator._generation
        where = tuple(sorted((found.topic, found.partition) for found in partitions))
        self._on_change(kind(self._group, where, generation.generation_id, generation.member_id or ""))

    def on_partitions_revoked(self, revoked: Any) -> None:
        """Called before a rebalance, and when the consumer closes."""
        self._tell(Revoked, revoked)

    def on_partitions_assigned(self, assigned: Any) -> None:
        """Called after a rebalance."""
        self._tell(Assigned, assigned)

    def on_partitions_lost(self, lost: Any) -> None:
        """Called when the consumer is no longer a member of the group."""
        self._tell(Lost, lost)


class KafkaPythonConsumer:
    """A Consumer that uses kafka-python."""

    def __init__(self, bootstrap: str, settings: ClientSettings, client_id: str, group: str | None) -> None:
        self._group = group
        self._consumer = KafkaConsumer(
            bootstrap_servers=bootstrap.split(","),
            client_id=client_id,
            group_id=group,
            auto_offset_reset="earliest",
            enable_auto_commit=settings.commit == "auto" and group is not None,
            isolation_level=settings.isolation,
            request_timeout_ms=settings.fetch_timeout_ms,
            session_timeout_ms=settings.session_timeout_ms,
            heartbeat_interval_ms=1_000,
            reconnect_backoff_max_ms=_RECONNECT_MS,
            fetch_max_wait_ms=100,
            check_crcs=True,
        )

    def assign(self, partitions: Sequence[tuple[str, int]]) -> None:
        """Reads these partitions from their start."""
        found = [TopicPartition(*where) for where in partitions]
        self._consumer.assign(found)
        self._consumer.seek_to_beginning(*found)

    def subscribe(self, topics: Sequence[str], on_change: OnChange) -> None:
        """Subscribes to the topics as a member of its group."""
        listener = _Listener(self._group or "", self._consumer, on_change)
        self._consumer.subscribe(list(topics), listener=listener)

    def poll(self, timeout_s: float) -> list[Consumed]:
        """The next records. Without an assignment, a group member waits at least `_JOINING_S`."""
        is_joining = self._group is not None and not self._consumer.assignment()
        wait_s = max(timeout_s, _JOINING_S) if is_joining else timeout_s
        try:
            found = self._consumer.poll(timeout_ms=int(wait_s * 1000))
        except (KafkaError, OSError) as trouble:
            raise ClientTrouble(f"{type(trouble).__name__}: {trouble}") from trouble
        return [consumed(record) for records in found.values() for record in records]

    def seek(self, topic: str, partition: int, offset: int) -> None:
        """Sets the next offset to read."""
        self._consumer.seek(TopicPartition(topic, partition), offset)

    def position(self, topic: str, partition: int) -> int:
        """The next offset to read."""
        return int(self._consumer.position(TopicPartition(topic, partition)) or 0)

    def commit(self, offsets: Mapping[tuple[str, int], int] | None = None) -> None:
        """Commits these offsets; without any, the current positions of all assigned partitions."""
        wanted = {
            TopicPartition(*where): OffsetAndMetadata(offset, "", -1) for where, offset in (offsets or {}).items()
        }
        try:
            self._consumer.commit(wanted or None)
        except (KafkaError, OSError) as trouble:
            raise ClientTrouble(f"{type(trouble).__name__}: {trouble}") from trouble

    def committed(self, topic: str, partition: int) -> int | None:
        """The group's committed offset; None when there is none."""
        found = self._consumer.committed(TopicPartition(topic, partition))
        return None if found is None else int(found)

    def close(self) -> None:
        """Leaves its group, if any."""
        try:
            self._consumer.close(timeout_ms=5_000)
        except KafkaError as trouble:
            _LOG.debug("the consumer could not leave in time: %s", trouble)


def consumed(record: Any) -> Consumed:
    """Converts a record of kafka-python."""
    return Consumed(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp=record.timestamp,
        key=record.key,
        value=record.value,
        headers=tuple(record.headers or ()),
        leader_epoch=-1 if record.leader_epoch is None else record.leader_epoch,
    )


class KafkaPython:
    """The library `kafka_python`."""

    name = "kafka_python"
    most_in_flight = 1_000_000
    acknowledges_by_later = False

    def __init__(self) -> None:
        # The history records when a broker was down; the library would log it several times a second.
        logging.getLogger("kafka").setLevel(logging.CRITICAL)

    def producer(self, bootstrap: str, settings: ClientSettings, client_id: str) -> Producer:
        """A new producer."""
        return KafkaPythonProducer(bootstrap, settings, client_id)

    def consumer(self, bootstrap: str, settings: ClientSettings, client_id: str, group: str | None) -> Consumer:
        """A new consumer."""
        return KafkaPythonConsumer(bootstrap, settings, client_id, group)
