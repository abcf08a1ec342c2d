"""The project's own minimal client, synchronous. In a group its consumer is a member of the classic protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.clients import client
from harness.clients.client import Consumed, Headers, OnChange, OnDelivery
from harness.clients.stepped.consumer import Consumer
from harness.clients.stepped.producer import Producer
from harness.history.operations import ProducerIdentity
from harness.hosts.executor import current
from harness.judging.guarantees import ClientSettings


class RawProducer:
    """Producer over raw connections."""

    def __init__(self, bootstrap: str, settings: ClientSettings, client_id: str) -> None:
        self._run = current().run
        self._stepped = Producer(current(), bootstrap, settings, client_id)

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
        chosen = self._run(self._stepped.partition_for(topic, key)) if partition is None else partition
        self._stepped.send(
            topic, chosen, key=key, value=value, headers=headers, timestamp=timestamp, on_delivery=on_delivery
        )

    def identity(self) -> ProducerIdentity | None:
        """The producer id and epoch; None before the first request, and after a failed batch until the next request."""
        return self._stepped.identity()

    def retries(self) -> int | None:
        """The number of records in batches that were resent."""
        return self._stepped.retries()

    def flush(self, timeout_s: float) -> None:
        """Waits until every record has been reported as delivered or failed, at most `timeout_s`."""
        self._run(self._stepped.flush(timeout_s))

    def is_broken(self) -> bool:
        """Always False: after a failed batch this producer requests a new producer id and goes on."""
        return self._stepped.is_broken()

    def close(self) -> None:
        """Stops after the batch in flight."""
        self._run(self._stepped.close())


class RawConsumer:
    """Consumer over raw connections, without fetch sessions; in a classic group where it subscribes."""

    def __init__(self, bootstrap: str, settings: ClientSettings, client_id: str, group: str | None = None) -> None:
        self._run = current().run
        self._stepped = Consumer(current(), bootstrap, settings, client_id, group)

    def assign(self, partitions: Sequence[tuple[str, int]]) -> None:
        """Reads these partitions from their start."""
        self._run(self._stepped.assign(partitions))

    def subscribe(self, topics: Sequence[str], on_change: OnChange) -> None:
        """Becomes a member of its group when it is polled. ClientTrouble where it has none."""
        self._run(self._stepped.subscribe(topics, on_change))

    def poll(self, timeout_s: float) -> list[Consumed]:
        """The next records of one partition; the calls go through the partitions in turn."""
        return self._run(self._stepped.poll(timeout_s))

    def seek(self, topic: str, partition: int, offset: int) -> None:
        """Sets the next offset to read."""
        self._run(self._stepped.seek(topic, partition, offset))

    def position(self, topic: str, partition: int) -> int:
        """The next offset to read."""
        return self._run(self._stepped.position(topic, partition))

    def commit(self, offsets: Mapping[tuple[str, int], int] | None = None) -> None:
        """Commits these offsets, or the current positions, as a member of its group if it subscribes. ClientTrouble
        where that is refused, or where it has no group."""
        self._run(self._stepped.commit(offsets))

    def committed(self, topic: str, partition: int) -> int | None:
        """The group's committed offset; None when there is none. ClientTrouble where it cannot be told, or where it has
        no group."""
        return self._run(self._stepped.committed(topic, partition))

    def close(self) -> None:
        """Leaves its group, if any, and closes its connections."""
        self._run(self._stepped.close())


class Raw:
    """The library `raw`."""

    name = "raw"
    most_in_flight = 1
    acknowledges_by_later = False

    def producer(self, bootstrap: str, settings: ClientSettings, client_id: str) -> client.Producer:
        """A new producer."""
        return RawProducer(bootstrap, settings, client_id)

    def consumer(self, bootstrap: str, settings: ClientSettings, client_id: str, group: str | None) -> client.Consumer:
        """A new consumer; without a group it can only `assign`, not `subscribe`."""
        return RawConsumer(bootstrap, settings, client_id, group)
