"""Any client library as coroutines: our own client waits through the executor, the others block their thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from harness.clients.client import Consumed, Headers, Library, OnChange, OnDelivery
from harness.clients.client import Consumer as BlockingConsumer
from harness.clients.client import Producer as BlockingProducer
from harness.clients.stepped.consumer import Consumer
from harness.clients.stepped.producer import Producer
from harness.history.operations import ProducerIdentity
from harness.hosts.executor import Executor
from harness.judging.guarantees import ClientSettings

OWN = "raw"
"""The library that is our own client."""


class SteppedProducer(Protocol):
    """A producer (harness.clients.client.Producer) whose waits are coroutines."""

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
        ...

    def identity(self) -> ProducerIdentity | None:
        """The producer id and epoch, where they are known."""
        ...

    def retries(self) -> int | None:
        """How many records were sent again, where that is known."""
        ...

    def is_broken(self) -> bool:
        """Whether it sends nothing more."""
        ...

    async def flush(self, timeout_s: float) -> None:
        """Waits until every record was reported."""
        ...

    async def close(self) -> None:
        """Releases all resources."""
        ...


class SteppedConsumer(Protocol):
    """A consumer (harness.clients.client.Consumer) whose waits are coroutines."""

    async def assign(self, partitions: Sequence[tuple[str, int]]) -> None:
        """Reads these partitions from their start."""
        ...

    async def subscribe(self, topics: Sequence[str], on_change: OnChange) -> None:
        """Joins its group."""
        ...

    async def poll(self, timeout_s: float) -> list[Consumed]:
        """The next records."""
        ...

    async def seek(self, topic: str, partition: int, offset: int) -> None:
        """Sets the next offset to read."""
        ...

    async def position(self, topic: str, partition: int) -> int:
        """The next offset to read."""
        ...

    async def commit(self, offsets: Mapping[tuple[str, int], int] | None = None) -> None:
        """Commits these offsets, or the current positions."""
        ...

    async def close(self) -> None:
        """Leaves its group, if any."""
        ...


def stepped_producer(
    library: Library, executor: Executor, bootstrap: str, settings: ClientSettings, client_id: str
) -> SteppedProducer:
    """A new producer of a library."""
    if library.name == OWN:
        return Producer(executor, bootstrap, settings, client_id)
    return _ProducerOfThread(library.producer(bootstrap, settings, client_id))


def stepped_consumer(
    library: Library, executor: Executor, bootstrap: str, settings: ClientSettings, client_id: str, group: str | None
) -> SteppedConsumer:
    """A new consumer of a library."""
    if library.name == OWN:
        return Consumer(executor, bootstrap, settings, client_id, group)
    return _ConsumerOfThread(library.consumer(bootstrap, settings, client_id, group))


class _ProducerOfThread:
    """A producer that blocks the thread that carries the coroutine out (SteppedProducer)."""

    def __init__(self, producer: BlockingProducer) -> None:
        self._producer = producer
        self.send, self.identity = producer.send, producer.identity
        self.retries, self.is_broken = producer.retries, producer.is_broken

    async def flush(self, timeout_s: float) -> None:
        self._producer.flush(timeout_s)

    async def close(self) -> None:
        self._producer.close()


class _ConsumerOfThread:
    """A consumer that blocks the thread that carries the coroutine out (SteppedConsumer)."""

    def __init__(self, consumer: BlockingConsumer) -> None:
        self._consumer = consumer

    async def assign(self, partitions: Sequence[tuple[str, int]]) -> None:
        self._consumer.assign(partitions)

    async def subscribe(self, topics: Sequence[str], on_change: OnChange) -> None:
        self._consumer.subscribe(topics, on_change)

    async def poll(self, timeout_s: float) -> list[Consumed]:
        return self._consumer.poll(timeout_s)

    async def seek(self, topic: str, partition: int, offset: int) -> None:
        self._consumer.seek(topic, partition, offset)

    async def position(self, topic: str, partition: int) -> int:
        return self._consumer.position(topic, partition)

    async def commit(self, offsets: Mapping[tuple[str, int], int] | None = None) -> None:
        self._consumer.commit(offsets)

    async def close(self) -> None:
        self._consumer.close()
