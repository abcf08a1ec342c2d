"""A minimal producer over the project's own wire protocol: one request in flight at a time, optionally idempotent."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass, field

from harness.clients.client import Delivery, Headers, OnDelivery, classified
from harness.clients.leader_connections import TROUBLE, LeaderConnections
from harness.clients.murmur2 import partition_of
from harness.history.operations import OpType, ProducerIdentity
from harness.judging.guarantees import ClientSettings
from reference_broker.wire.compression import Compression
from reference_broker.wire.errors import ErrorCode, is_retriable
from reference_broker.wire.messages.init_producer_id_request import InitProducerIdRequest
from reference_broker.wire.messages.produce_request import PartitionProduceData, ProduceRequest, TopicProduceData
from reference_broker.wire.primitives import TopicName
from reference_broker.wire.records import Record, encode_batch

_PRODUCE, _INIT_PRODUCER_ID = 0, 22
_BATCH_RECORDS = 200
_ACKS = {"all": -1, "1": 1, "0": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    topic: str
    partition: int
    record: Record
    on_delivery: OnDelivery


@dataclass(slots=True)
class _Identity:
    """Producer id, producer epoch, and the next sequence number of each partition."""

    producer_id: int = -1
    epoch: int = -1
    sequences: dict[tuple[str, int], int] = field(default_factory=dict)


class RawProducer:
    """Producer over raw connections."""

    def __init__(self, bootstrap: str, settings: ClientSettings, client_id: str) -> None:
        self._view = LeaderConnections(bootstrap, client_id, settings.request_timeout_ms / 1000)
        self._delivery_s = settings.delivery_timeout_ms / 1000
        self._request_timeout_ms = settings.request_timeout_ms
        self._acks = _ACKS[settings.acks]
        self._is_idempotent = settings.is_idempotent
        self._retries = settings.retries
        self._compression = Compression[settings.compression.upper()]
        self._identity = _Identity()
        self._waiting: queue.Queue[_Waiting | None] = queue.Queue()
        self._open = 0
        self._retried = 0
        self._changed = threading.Condition()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name=client_id, daemon=True)
        self._thread.start()

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
        """Queues a record. Without a partition, one is chosen by the hash of the key, as the Java producer does."""
        now_ms = time.time_ns() // 1_000_000
        chosen = partition if partition is not None else self._partition_for(topic, key)
        record = Record(0, now_ms if timestamp is None else timestamp, key, value, tuple(headers))
        with self._changed:
            self._open += 1
        self._waiting.put(_Waiting(topic=topic, partition=chosen, record=record, on_delivery=on_delivery))

    def _partition_for(self, topic: str, key: bytes | None) -> int:
        led = max(1, self._view.refresh(topic))
        return partition_of(key or b"", led)

    def _run(self) -> None:
        while True:
            first = self._waiting.get()
            if first is None:
                return
            batches: dict[tuple[str, int], list[_Waiting]] = {(first.topic, first.partition): [first]}
            for _ in range(_BATCH_RECORDS):
                try:
                    following = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    self._waiting.put(None)
                    break
                batches.setdefault((following.topic, following.partition), []).append(following)
            for where, batch in batches.items():
                self._deliver(where, batch)

    def _deliver(self, where: tuple[str, int], batch: list[_Waiting]) -> None:
        """Sends one batch; retries until a final answer, the delivery timeout, or the limit of retries."""
        deadline = time.monotonic() + self._delivery_s
        outcome, error, attempts, is_doubtful = OpType.INFO, "delivery timeout", 0, False
        offset, appended_at = -1, -1
        while time.monotonic() < deadline and attempts <= self._retries and not self._is_closed:
            attempts += 1
            self._retried += len(batch) if attempts > 1 else 0
            try:
                code, offset, appended_at = self._attempt(where, batch)
            except TROUBLE as trouble:
                error, is_doubtful = f"{type(trouble).__name__}: {trouble}", True
                self._view.forget()
                time.sleep(0.05)
                continue
            if code in (ErrorCode.NONE, ErrorCode.DUPLICATE_SEQUENCE_NUMBER):
                outcome, error = OpType.OK, ""
                break
            error = ErrorCode(code).name
            if is_retriable(code):
                is_doubtful = is_doubtful or code == ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND
                self._view.forget()
                time.sleep(0.05)
                continue
            outcome = OpType.INFO if is_doubtful else classified(error)
            break
        if outcome is OpType.OK:
            self._advance(where, len(batch))
        else:
            # The broker may or may not have this batch. A new producer id avoids sequence gaps in later batches
            # (KIP-360).
            self._identity = _Identity()
        self._report(where, batch, outcome, offset, appended_at, error)

    def _attempt(self, where: tuple[str, int], batch: list[_Waiting]) -> tuple[int, int, int]:
        """Sends one Produce request; returns (error code, base offset, log append time in ms)."""
        topic, partition = where
        connection = self._view.leader(topic, partition)
        if self._is_idempotent and self._identity.producer_id < 0:
            request = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=60_000)
            answer = connection.request(_INIT_PRODUCER_ID, connection.highest(_INIT_PRODUCER_ID, 4), request)
            if answer.error_code:
                return int(answer.error_code), -1, -1
            self._identity = _Identity(answer.producer_id, answer.producer_epoch)
        identity = self._identity
        records = [waiting.record._replace(offset=number) for number, waiting in enumerate(batch)]
        data = encode_batch(
            records,
            compression=self._compression,
            producer_id=identity.producer_id,
            producer_epoch=identity.epoch,
            base_sequence=identity.sequences.get(where, 0) if self._is_idempotent else -1,
        )
        produce = ProduceRequest(
            acks=self._acks,
            timeout_ms=self._request_timeout_ms,
            topic_data=(
                TopicProduceData(
                    name=TopicName(topic), partition_data=(PartitionProduceData(index=partition, records=data),)
                ),
            ),
        )
        version = connection.highest(_PRODUCE, 9)
        if self._acks == 0:
            connection.send_only(_PRODUCE, version, produce)
            return 0, -1, -1
        found = connection.request(_PRODUCE, version, produce).responses[0].partition_responses[0]
        return int(found.error_code), int(found.base_offset), int(found.log_append_time_ms)

    def _advance(self, where: tuple[str, int], count: int) -> None:
        sequences = self._identity.sequences
        sequences[where] = (sequences.get(where, 0) + count) & 0x7FFFFFFF

    def _report(
        self, where: tuple[str, int], batch: list[_Waiting], outcome: OpType, offset: int, at: int, error: str
    ) -> None:
        for number, waiting in enumerate(batch):
            delivery = Delivery(
                outcome=outcome,
                partition=where[1],
                offset=offset + number if outcome is OpType.OK and offset >= 0 else -1,
                timestamp=at if at >= 0 else waiting.record.timestamp,
                error=error or None,
            )
            waiting.on_delivery(delivery)
        with self._changed:
            self._open -= len(batch)
            self._changed.notify_all()

    def identity(self) -> ProducerIdentity | None:
        """The producer id and epoch; None before the first request, and after a failed batch until the next request."""
        found = self._identity
        return ProducerIdentity(found.producer_id, found.epoch) if found.producer_id >= 0 else None

    def retries(self) -> int | None:
        """The number of records in batches that were resent."""
        return self._retried

    def flush(self, timeout_s: float) -> None:
        """Waits until every record has been reported as delivered or failed, at most `timeout_s`."""
        with self._changed:
            self._changed.wait_for(lambda: self._open == 0, timeout_s)

    def is_broken(self) -> bool:
        """Always False: after a failed batch this producer requests a new producer id and goes on."""
        return False

    def close(self) -> None:
        """Stops after the batch in flight."""
        self._is_closed = True
        self._waiting.put(None)
        self._thread.join(self._delivery_s)
        self._view.forget()
