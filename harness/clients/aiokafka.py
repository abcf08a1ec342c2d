"""Adapter for aiokafka: each client runs an event loop in its own thread."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

import aiokafka as ak
from aiokafka.errors import KafkaError

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
from harness.history.operations import Assigned, AssignmentChange, OpType, ProducerIdentity, Revoked
from harness.judging.guarantees import ClientSettings

_PATIENCE_S = 30.0
_NAMES = {"MessageSizeTooLargeError": "MESSAGE_TOO_LARGE", "InvalidTopicError": "INVALID_TOPIC_EXCEPTION"}


class LoopThread:
    """An event loop in a daemon thread."""

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Any], timeout_s: float = _PATIENCE_S) -> Any:
        """Runs a coroutine on the loop and returns its result. TimeoutError after `timeout_s`."""
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            return future.result(timeout_s)
        except TimeoutError:
            future.cancel()
            raise

    def close(self) -> None:
        """Stops the loop."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)


def _name(error: BaseException) -> str:
    name = type(error).__name__
    return _NAMES.get(name) or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.removesuffix("Error")).upper()


class AiokafkaProducer:
    """A Producer that uses aiokafka."""

    def __init__(self, bootstrap: str, settings: ClientSettings, client_id: str) -> None:
        self._loop = LoopThread(client_id)
        self._open: set[asyncio.Task[None]] = set()
        self._delivery_s = settings.delivery_timeout_ms / 1000

        async def start() -> Any:
            producer = ak.AIOKafkaProducer(
                bootstrap_servers=bootstrap,
                client_id=client_id,
                acks=settings.acks if settings.acks == "all" else int(settings.acks),
                enable_idempotence=settings.is_idempotent,
                request_timeout_ms=settings.delivery_timeout_ms,
                linger_ms=5,
                compression_type=None if settings.compression == "none" else settings.compression,
            )
            await producer.start()
            return producer

        try:
            self._producer = self._loop.run(start())
        except (KafkaError, TimeoutError, OSError) as trouble:
            self._loop.close()
            raise ClientTrouble(f"{type(trouble).__name__}: {trouble}") from trouble

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
        """Sends a record; returns once aiokafka has queued it, so that records keep their order."""

        async def hand_over() -> Any:
            return await self._producer.send(
                topic, value=value, key=key, partition=partition, timestamp_ms=timestamp, headers=list(headers)
            )

        async def watch(pending: Any) -> None:
            try:
                found = await pending
            except Exception as error:
                on_delivery(Delivery(outcome=classified(_name(error)), error=f"{_name(error)}: {error}"))
                return
            offset = -1 if found is None or found.offset is None else found.offset
            stamp = -1 if found is None or found.timestamp is None else found.timestamp
            where = (partition or 0) if found is None else found.partition
            on_delivery(Delivery(outcome=OpType.OK, partition=where, offset=offset, timestamp=stamp))

        async def both() -> None:
            pending = await hand_over()
            task = asyncio.ensure_future(watch(pending))
            self._open.add(task)
            task.add_done_callback(self._open.discard)

        try:
            self._loop.run(both(), 2 * self._delivery_s)
        except (KafkaError, TimeoutError, OSError) as error:
            on_delivery(Delivery(outcome=classified(_name(error)), error=f"{_name(error)}: {error}"))

    def identity(self) -> ProducerIdentity | None:
        """The producer id and epoch; None before the broker has assigned them."""
        manager = self._producer._txn_manager
        if manager is None or not manager.has_pid():
            return None
        return ProducerIdentity(manager.producer_id, manager.producer_epoch)

    def retries(self) -> int | None:
        """Always None: aiokafka does not count retries."""
        return None

    def flush(self, timeout_s: float) -> None:
        """Waits until every record has been reported as delivered or failed, at most `timeout_s`."""

        async def drained() -> None:
            if self._open:
                await asyncio.wait(list(self._open), timeout=timeout_s)

        self._loop.run(drained(), timeout_s + 5)

    def is_broken(self) -> bool:
        """Whether the sender task has ended, or the transaction manager has a fatal error."""
        manager, task = self._producer._txn_manager, self._producer._sender.sender_task
        return (manager is not None and bool(manager.is_fatal_error())) or (task is not None and bool(task.done()))

    def close(self) -> None:
        """Closes its connections."""
        try:
            self._loop.run(self._producer.stop(), 5)
        except (KafkaError, TimeoutError, OSError):
            pass  # The broker cannot be reached; closing the loop ends the connections.
        finally:
            self._loop.close()


class _Listener(ak.ConsumerRebalanceListener):  # type: ignore[misc]
    """Reports assigned and revoked partitions to the workload."""

    def __init__(self, group: str, consumer: Any, on_change: OnChange) -> None:
        self._group = group
        self._consumer = consumer
        self._on_change = on_change

    def _tell(self, kind: type[AssignmentChange], partitions: Any) -> None:
        coordinator = self._consumer._coordinator
        where = tuple(sorted((found.topic, found.partition) for found in partitions))
        self._on_change(kind(self._group, where, coordinator.generation, coordinator.member_id))

    def on_partitions_revoked(self, revoked: Any) -> None:
        """Called before a rebalance, and when partitions were lost: aiokafka has no separate callback for that."""
        self._tell(Revoked, revoked)

    def on_partitions_assigned(self, assigned: Any) -> None:
        """Called after a rebalance."""
        self._tell(Assigned, assigned)


class AiokafkaConsumer:
    """A Consumer that uses aiokafka."""

    def __init__(self, bootstrap: str, settings: ClientSettings, client_id: str, group: str | None) -> None:
        self._group = group or ""
        self._loop = LoopThread(client_id)

        async def start() -> Any:
            consumer = ak.AIOKafkaConsumer(
                bootstrap_servers=bootstrap,
                client_id=client_id,
                group_id=group,
                auto_offset_reset="earliest",
                enable_auto_commit=settings.commit == "auto" and group is not None,
                isolation_level=settings.isolation,
                request_timeout_ms=settings.fetch_timeout_ms,
                session_timeout_ms=settings.session_timeout_ms,
                heartbeat_interval_ms=1_000,
                fetch_max_wait_ms=100,
                check_crcs=True,
            )
            await consumer.start()
            return consumer

        try:
            self._consumer = self._loop.run(start())
        except (KafkaError, TimeoutError, OSError) as trouble:
            self._loop.close()
            raise ClientTrouble(f"{type(trouble).__name__}: {trouble}") from trouble

    def _run(self, work: Coroutine[Any, Any, Any], timeout_s: float = _PATIENCE_S) -> Any:
        try:
            return self._loop.run(work, timeout_s)
        except (KafkaError, TimeoutError, OSError) as trouble:
            raise ClientTrouble(f"{type(trouble).__name__}: {trouble}") from trouble

    def assign(self, partitions: Sequence[tuple[str, int]]) -> None:
        """Reads these partitions from their start."""
        found = [ak.TopicPartition(*where) for where in partitions]

        async def start() -> None:
            self._consumer.assign(found)
            await self._consumer.seek_to_beginning(*found)

        self._run(start())

    def subscribe(self, topics: Sequence[str], on_change: OnChange) -> None:
        """Subscribes to the topics as a member of its group."""

        async def start() -> None:
            self._consumer.subscribe(list(topics), listener=_Listener(self._group, self._consumer, on_change))

        self._run(start())

    def poll(self, timeout_s: float) -> list[Consumed]:
        """Up to 500 records; an empty list when none came within `timeout_s`."""
        found = self._run(self._consumer.getmany(timeout_ms=int(timeout_s * 1000), max_records=500))
        return [
            Consumed(
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                timestamp=record.timestamp,
                key=record.key,
                value=record.value,
                headers=tuple(record.headers or ()),
            )
            for records in found.values()
            for record in records
        ]

    def seek(self, topic: str, partition: int, offset: int) -> None:
        """Sets the next offset to read."""

        async def move() -> None:
            self._consumer.seek(ak.TopicPartition(topic, partition), offset)

        self._run(move())

    def position(self, topic: str, partition: int) -> int:
        """The next offset to read."""
        return int(self._run(self._consumer.position(ak.TopicPartition(topic, partition))))

    def commit(self, offsets: Mapping[tuple[str, int], int] | None = None) -> None:
        """Commits these offsets; without any, the current positions of all assigned partitions."""
        wanted = {ak.TopicPartition(*where): offset for where, offset in (offsets or {}).items()}
        self._run(self._consumer.commit(wanted or None))

    def committed(self, topic: str, partition: int) -> int | None:
        """The group's committed offset; None when there is none."""
        found = self._run(self._consumer.committed(ak.TopicPartition(topic, partition)))
        return None if found is None else int(found)

    def close(self) -> None:
        """Leaves its group, if any."""
        try:
            self._run(self._consumer.stop(), 10)
        except ClientTrouble:
            pass  # The broker cannot be reached; closing the loop ends the connections.
        finally:
            self._loop.close()


class Aiokafka:
    """The library `aiokafka`."""

    name = "aiokafka"
    most_in_flight = 1
    acknowledges_by_later = False
    """aiokafka waits for the response to a partition's batch before it sends the partition's next batch."""

    def __init__(self) -> None:
        # The history records when a broker was down; the library would log it several times a second.
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)

    def producer(self, bootstrap: str, settings: ClientSettings, client_id: str) -> Producer:
        """A new producer."""
        return AiokafkaProducer(bootstrap, settings, client_id)

    def consumer(self, bootstrap: str, settings: ClientSettings, client_id: str, group: str | None) -> Consumer:
        """A new consumer."""
        return AiokafkaConsumer(bootstrap, settings, client_id, group)
