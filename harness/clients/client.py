"""What every client library under test looks like to a workload, and which of its errors are certain.

All calls are synchronous, bounded in time, and may come from any one thread at a time; deliveries are reported from a
thread of the client's own.
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
"""Refusals that no attempt at the same record can have escaped: then it is not in the log. All else is uncertain, even
UNKNOWN_TOPIC_OR_PARTITION or NOT_ENOUGH_REPLICAS, since an earlier attempt may have been written (KAFKA-13574)."""


class ClientTrouble(Exception):
    """A client could not do what it was asked; nothing is known of the effect."""


def classified(error_name: str) -> OpType:
    """FAIL for a certain refusal, INFO for everything else, unknown names included."""
    return OpType.FAIL if error_name in CERTAIN_REFUSALS else OpType.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The end of a send."""

    outcome: OpType
    partition: int = -1
    offset: int = -1
    timestamp: int = -1
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumed:
    """A record as the client gave it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    leader_epoch: int = UNKNOWN
    """Of its batch, where the library tells it."""


OnDelivery = Callable[[Delivery], None]
OnChange = Callable[[AssignmentChange], None]
Headers = Sequence[tuple[str, bytes]]


class Producer(Protocol):
    """Sends records. Errors of a record come by its delivery, never as exceptions."""

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
        """Hands a record over; `on_delivery` is called once, unless the client is closed before."""
        ...

    def flush(self, timeout_s: float) -> None:
        """Waits until every record has its delivery, at most so long."""
        ...

    def identity(self) -> ProducerIdentity | None:
        """The producer id and epoch with which it writes; None before it has one, and where the library does not tell
        it."""
        ...

    def retries(self) -> int | None:
        """How many records it has sent again so far, at least; None where the library does not count them."""
        ...

    def is_broken(self) -> bool:
        """Whether it met a fatal error, after which its library sends nothing any more."""
        ...

    def close(self) -> None:
        """Gives everything back; bounded in time."""
        ...


class Consumer(Protocol):
    """Reads records."""

    def assign(self, partitions: Sequence[tuple[str, int]]) -> None:
        """Reads these partitions from their start."""
        ...

    def subscribe(self, topics: Sequence[str], on_change: OnChange) -> None:
        """Shares the topics with its group; `on_change` is told what it is given and what is taken from it, by any
        thread. ClientTrouble: it cannot."""
        ...

    def poll(self, timeout_s: float) -> list[Consumed]:
        """Records, or none when the time has passed. ClientTrouble when the client says that it failed."""
        ...

    def seek(self, topic: str, partition: int, offset: int) -> None:
        """Reads on from an offset."""
        ...

    def position(self, topic: str, partition: int) -> int:
        """The next offset to read."""
        ...

    def commit(self, offsets: Mapping[tuple[str, int], int] | None = None) -> None:
        """Commits the next offsets to read, or the positions of all that it was given, and waits for the answer.
        ClientTrouble when refused."""
        ...

    def committed(self, topic: str, partition: int) -> int | None:
        """The group's committed offset; None when there is none."""
        ...

    def close(self) -> None:
        """Leaves its group, if any; bounded in time."""
        ...


class Admin(Protocol):
    """Makes topics and looks at them."""

    def create_topic(
        self, topic: str, partitions: int = 1, replicas: int = 1, config: Mapping[str, str] | None = None
    ) -> None:
        """Makes a topic and waits until each partition has a leader; one that exists is left alone."""
        ...

    def delete_topic(self, topic: str) -> None:
        """Deletes a topic; one that does not exist is no trouble."""
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
        """As given by `--client`."""
        ...

    @property
    def most_in_flight(self) -> int:
        """The most requests that one of its producers has under way at once to a broker, whatever it is asked for."""
        ...

    @property
    def acknowledges_by_later(self) -> bool:
        """As in ClientSettings."""
        ...

    def producer(self, bootstrap: str, settings: ClientSettings, client_id: str) -> Producer:
        """A new producer. ClientTrouble, or an OSError, where the library wants a broker for that and finds none."""
        ...

    def consumer(self, bootstrap: str, settings: ClientSettings, client_id: str, group: str | None) -> Consumer:
        """A new consumer; without a group it can only be assigned."""
        ...


def settings_with(library: Library, asked: ClientSettings) -> ClientSettings:
    """What a library makes of the settings that it is asked for."""
    return replace(
        asked,
        in_flight=min(asked.in_flight, library.most_in_flight),
        acknowledges_by_later=library.acknowledges_by_later,
    )


CLIENTS = ("confluent", "kafka_python", "aiokafka", "raw")


def library(name: str) -> Library:
    """The library with a name. ValueError, with what is known, when there is none."""
    # Imported when asked for: each needs a package that the others do without.
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
