"""The interface through which workloads use every client library, and the errors that prove a record was not written.

All calls are synchronous and bounded in time. A client may be used from any thread, by one thread at a time; delivery
callbacks are called from a thread of the client itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from harness.history.operations import UNKNOWN, AssignmentChange, OpType, ProducerIdentity
from harness.judging.guarantees import ClientSettings

CERTAIN_REFUSALS = frozenset(
    {
        "MESSAGE_TOO_LARGE",
        "MSG_SIZE_TOO_LARGE",
        "RECORD_LIST_TOO_LARGE",
        "INVALID_RECORD",
        "INVALID_TIMESTAMP",
        "INVALID_TOPIC_EXCEPTION",
        "TOPIC_EXCEPTION",
        "INVALID_REQUIRED_ACKS",
        "TOPIC_AUTHORIZATION_FAILED",
        "CLUSTER_AUTHORIZATION_FAILED",
        "UNSUPPORTED_COMPRESSION_TYPE",
        "UNSUPPORTED_FOR_MESSAGE_FORMAT",
    }
)
"""Errors after which the record is certainly not in the log, because every attempt to send it meets the same refusal.
After any other error it may be there, even after UNKNOWN_TOPIC_OR_PARTITION or NOT_ENOUGH_REPLICAS: an earlier attempt
may have been written (KAFKA-13574)."""


class ClientTrouble(Exception):
    """A client call failed; whether it took effect is unknown."""


def classified(error_name: str) -> OpType:
    """FAIL if the error is one of CERTAIN_REFUSALS; INFO otherwise, also for unknown names."""
    return OpType.FAIL if error_name in CERTAIN_REFUSALS else OpType.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The result of sending one record."""

    outcome: OpType
    partition: int = -1
    offset: int = -1
    timestamp: int = -1
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumed:
    """A record as the client library returned it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    leader_epoch: int = UNKNOWN
    """The leader epoch of the record's batch; UNKNOWN where the library does not expose it."""


OnDelivery = Callable[[Delivery], None]
OnChange = Callable[[AssignmentChange], None]
Headers = Sequence[tuple[str, bytes]]


class Producer(Protocol):
    """Sends records. Errors are reported by the delivery callback, never raised."""

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
        """Queues a record. `on_delivery` is called once, unless the client is closed first."""
        ...

    def flush(self, timeout_s: float) -> None:
        """Waits until every record has been reported as delivered or failed, at most `timeout_s`."""
        ...

    def identity(self) -> ProducerIdentity | None:
        """The producer id and epoch; None before they are assigned, or where the library does not expose them."""
        ...

    def retries(self) -> int | None:
        """A lower bound for the number of records resent so far; None where the library does not count them."""
        ...

    def is_broken(self) -> bool:
        """Whether a fatal error has occurred, after which the library sends nothing more."""
        ...

    def close(self) -> None:
        """Releases all resources; bounded in time."""
        ...


class Consumer(Protocol):
    """Reads records."""

    def assign(self, partitions: Sequence[tuple[str, int]]) -> None:
        """Reads these partitions from their start."""
        ...

    def subscribe(self, topics: Sequence[str], on_change: OnChange) -> None:
        """Subscribes to the topics as a member of its group. `on_change` is called, from any thread, when partitions
        are assigned or revoked. ClientTrouble if the client cannot subscribe."""
        ...

    def poll(self, timeout_s: float) -> list[Consumed]:
        """The next records; empty if none came within `timeout_s`. ClientTrouble if the client reports an error."""
        ...

    def seek(self, topic: str, partition: int, offset: int) -> None:
        """Sets the next offset to read."""
        ...

    def position(self, topic: str, partition: int) -> int:
        """The next offset to read."""
        ...

    def commit(self, offsets: Mapping[tuple[str, int], int] | None = None) -> None:
        """Commits these offsets (each the next one to read), or the current positions of all assigned partitions, and
        waits for the response. ClientTrouble when the commit is refused."""
        ...

    def committed(self, topic: str, partition: int) -> int | None:
        """The group's committed offset; None when there is none."""
        ...

    def close(self) -> None:
        """Leaves its group, if any; bounded in time."""
        ...


class Admin(Protocol):
    """Creates, deletes and inspects topics."""

    def create_topic(
        self, topic: str, partitions: int = 1, replicas: int = 1, config: Mapping[str, str] | None = None
    ) -> None:
        """Creates a topic and waits until each partition has a leader. An existing topic is not changed."""
        ...

    def delete_topic(self, topic: str) -> None:
        """Deletes a topic; it need not exist."""
        ...

    def offsets(self, topic: str, partition: int) -> tuple[int, int]:
        """(log start offset, high watermark) of a partition."""
        ...

    def close(self) -> None:
        """Closes its connections."""
        ...


class Library(Protocol):
    """A client library under test."""

    @property
    def name(self) -> str:
        """The library's name on the command line (`--client`)."""
        ...

    @property
    def most_in_flight(self) -> int:
        """The library's own upper limit for a producer's in-flight requests to one broker."""
        ...

    @property
    def acknowledges_by_later(self) -> bool:
        """See ClientSettings.acknowledges_by_later."""
        ...

    def producer(self, bootstrap: str, settings: ClientSettings, client_id: str) -> Producer:
        """A new producer. ClientTrouble or OSError where the library must reach a broker first and cannot."""
        ...

    def consumer(self, bootstrap: str, settings: ClientSettings, client_id: str, group: str | None) -> Consumer:
        """A new consumer; without a group it can only `assign`, not `subscribe`."""
        ...


def settings_with(library: Library, asked: ClientSettings) -> ClientSettings:
    """The settings that are in force when this library is asked for `asked`."""
    return replace(
        asked,
        in_flight=min(asked.in_flight, library.most_in_flight),
        acknowledges_by_later=library.acknowledges_by_later,
    )


CLIENTS = ("confluent", "kafka_python", "aiokafka", "raw")


def library(name: str) -> Library:
    """The library with this name. ValueError, which lists the known names, when there is none."""
    # Imported on demand: each needs a package of its own.
    if name == "confluent":
        from harness.clients.confluent import Confluent

        return Confluent()
    if name == "kafka_python":
        from harness.clients.kafka_python import KafkaPython

        return KafkaPython()
    if name == "aiokafka":
        from harness.clients.aiokafka import Aiokafka

        return Aiokafka()
    if name == "raw":
        from harness.clients.raw import Raw

        return Raw()
    raise ValueError(f"--client: unknown client {name!r} (known: {', '.join(CLIENTS)})")
