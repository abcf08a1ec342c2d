"""A minimal producer, as coroutines: one request in flight at a time, optionally idempotent."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from harness.clients.client import Delivery, Headers, OnDelivery, classified
from harness.clients.murmur2 import partition_of
from harness.clients.stepped.leaders import TROUBLE, Leaders
from harness.history.operations import OpType, ProducerIdentity
from harness.hosts.executor import Executor, Task
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
_AGAIN_S = 0.05


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


class Producer:
    """SteppedProducer over connections of our own. A task of its own sends what waits."""

    def __init__(self, executor: Executor, bootstrap: str, settings: ClientSettings, client_id: str) -> None:
        self._executor = executor
        self._leaders = Leaders(executor, bootstrap, client_id, timeout_s=settings.request_timeout_ms / 1000)
        self._delivery_s = settings.delivery_timeout_ms / 1000
        self._request_timeout_ms = settings.request_timeout_ms
        self._acks = _ACKS[settings.acks]
        self._is_idempotent = settings.is_idempotent
        self._retries = settings.retries
        self._compression = Compression[settings.compression.upper()]
        self._identity = _Identity()
        self._lock = threading.Lock()
        """Over what the sender and its user both change."""
        self._waiting: deque[_Waiting] = deque()
        self._some = executor.signal()
        """That something waits, or that it is closed; a new one once it has been seen."""
        self._none_open = executor.signal()
        """That every record was reported; a new one while some are not."""
        self._none_open.set()
        self._open = 0
        self._retried = 0
        self._is_closed = False
        self._ended = executor.signal()
        self.task: Task = executor.start(client_id, self._run)

    async def partition_for(self, topic: str, key: bytes | None) -> int:
        """The partition that the Java producer chooses for a key."""
        return partition_of(key or b"", max(1, await self._leaders.refresh(topic)))

    def send(
        self,
        topic: str,
        partition: int,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        timestamp: int | None = None,
        on_delivery: OnDelivery,
    ) -> None:
        """Queues a record."""
        at_ms = self._executor.wall_ms() if timestamp is None else timestamp
        record = Record(0, at_ms, key, value, tuple(headers))
        with self._lock:
            if not self._open:
                self._none_open = self._executor.signal()
            self._open += 1
            self._waiting.append(_Waiting(topic=topic, partition=partition, record=record, on_delivery=on_delivery))
            self._some.set()

    async def _run(self) -> None:
        while True:
            await self._some.wait()
            batches: dict[tuple[str, int], list[_Waiting]] = {}
            with self._lock:
                if self._is_closed:
                    break
                for _ in range(min(len(self._waiting), _BATCH_RECORDS)):
                    found = self._waiting.popleft()
                    batches.setdefault((found.topic, found.partition), []).append(found)
                if not self._waiting:
                    self._some = self._executor.signal()
            for where, batch in batches.items():
                await self._deliver(where, batch)
        self._leaders.forget()
        self._ended.set()

    async def _deliver(self, where: tuple[str, int], batch: list[_Waiting]) -> None:
        """Sends one batch; retries until a final answer, the delivery timeout, or the limit of retries."""
        now_ns = self._executor.now_ns
        deadline_ns = now_ns() + int(self._delivery_s * 1e9)
        outcome, error, attempts, is_doubtful = OpType.INFO, "delivery timeout", 0, False
        offset, appended_at = -1, -1
        while now_ns() < deadline_ns and attempts <= self._retries and not self._is_closed:
            attempts += 1
            self._retried += len(batch) if attempts > 1 else 0
            try:
                code, offset, appended_at = await self._attempt(where, batch)
            except TROUBLE as trouble:
                error, is_doubtful = f"{type(trouble).__name__}: {trouble}", True
                self._leaders.forget()
                await self._executor.pause(_AGAIN_S)
                continue
            if code in (ErrorCode.NONE, ErrorCode.DUPLICATE_SEQUENCE_NUMBER):
                outcome, error = OpType.OK, ""
                break
            error = ErrorCode(code).name
            if is_retriable(code):
                is_doubtful = is_doubtful or code == ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND
                self._leaders.forget()
                await self._executor.pause(_AGAIN_S)
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

    async def _attempt(self, where: tuple[str, int], batch: list[_Waiting]) -> tuple[int, int, int]:
        """Sends one Produce request; returns (error code, base offset, log append time in ms)."""
        topic, partition = where
        connection = await self._leaders.leader(topic, partition)
        if self._is_idempotent and self._identity.producer_id < 0:
            request = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=60_000)
            version = await connection.highest(_INIT_PRODUCER_ID, 4)
            answer = await connection.request(_INIT_PRODUCER_ID, version, request)
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
        version = await connection.highest(_PRODUCE, 9)
        if self._acks == 0:
            await connection.send_only(_PRODUCE, version, produce)
            return 0, -1, -1
        found = (await connection.request(_PRODUCE, version, produce)).responses[0].partition_responses[0]
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
        with self._lock:
            self._open -= len(batch)
            if not self._open:
                self._none_open.set()

    def identity(self) -> ProducerIdentity | None:
        """The producer id and epoch; None before the first request, and after a failed batch until the next request."""
        found = self._identity
        return ProducerIdentity(found.producer_id, found.epoch) if found.producer_id >= 0 else None

    def retries(self) -> int | None:
        """The number of records in batches that were resent."""
        return self._retried

    async def flush(self, timeout_s: float) -> None:
        """Waits until every record has been reported as delivered or failed, at most `timeout_s`."""
        await self._none_open.wait(timeout_s)

    def is_broken(self) -> bool:
        """Always False: after a failed batch this producer requests a new producer id and goes on."""
        return False

    async def close(self) -> None:
        """Stops after the batch in flight."""
        with self._lock:
            self._is_closed = True
            self._some.set()
        await self._ended.wait(self._delivery_s)
