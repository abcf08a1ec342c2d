"""Steps that our own client carries out, where there are no sockets for a library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from harness.clients.client import ClientTrouble, Delivery
from harness.clients.raw import RawConsumer, RawProducer
from harness.clients.stepped.coordinator import CoordinatorTrouble
from harness.history.operations import OpType
from harness.hosts import cluster_time as time
from harness.judging.guarantees import ClientSettings
from harness.search.lockstep.library_steps import Came

TIMEOUT_S: Final = 20.0
SETTINGS: Final = ClientSettings(acks="all", is_idempotent=False)
CLIENT_ID: Final = "library-step"


class RawClients:
    """A producer and consumers for one cluster, a new one for each step (LibraryClients)."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    def produce(self, topic: str, partition: int, values: Sequence[str]) -> list[int] | str:
        """Sends values; returns their acknowledged offsets, or the name of the error that refused one. ClientTrouble if
        it is unknown whether a record was written."""
        producer = RawProducer(self._bootstrap, SETTINGS, CLIENT_ID)
        try:
            offsets: list[int] = []
            for value in values:
                heard: list[Delivery] = []
                producer.send(topic, partition, key=None, value=value.encode(), on_delivery=heard.append)
                producer.flush(TIMEOUT_S)
                if not heard:
                    raise ClientTrouble(f"no delivery from {self._bootstrap} within {TIMEOUT_S:.0f} s")
                (delivery,) = heard
                if delivery.outcome is OpType.INFO:
                    raise ClientTrouble(f"a record to {topic} may or may not be written: {delivery.error}")
                if delivery.outcome is OpType.FAIL:
                    return delivery.error or ""
                offsets.append(delivery.offset)
            return offsets
        finally:
            producer.close()

    def read(self, topic: str, partition: int, offset: int, end: int) -> list[Came]:
        """The records from `offset` to `end` (exclusive); fewer if none came for 20 s. ClientTrouble for an error."""
        consumer = RawConsumer(self._bootstrap, SETTINGS, CLIENT_ID)
        try:
            consumer.assign([(topic, partition)])
            consumer.seek(topic, partition, offset)
            found: list[Came] = []
            deadline = time.monotonic() + TIMEOUT_S
            while (not found or found[-1].offset < end - 1) and time.monotonic() < deadline:
                found += [Came(record.offset, record.value) for record in consumer.poll(1.0)]
            return found
        finally:
            consumer.close()

    def commit(self, group: str, topic: str, partition: int, offset: int) -> int:
        """Commits an offset; returns the error code, 0 for success. ClientTrouble if no answer came."""
        consumer = RawConsumer(self._bootstrap, SETTINGS, CLIENT_ID, group)
        try:
            consumer.commit({(topic, partition): offset})
        except CoordinatorTrouble as trouble:
            if trouble.error is None:
                raise
            return int(trouble.error)
        finally:
            consumer.close()
        return 0

    def begin(self) -> None:
        """Nothing is open between steps."""

    def close(self) -> None:
        """Nothing is open between steps."""
