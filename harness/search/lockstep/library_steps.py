"""Steps of a sequence that a client library carries out, as in an application, in between raw requests.

The library is confluent-kafka; on a simulated cluster, which has no sockets, it is our own client.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryProduce:
    """Sends values to a partition, one after another, and waits for each delivery."""

    topic: str
    partition: int = 0
    values: tuple[str, ...] = ("a",)


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryRead:
    """Reads a partition from an offset to its end, by a manually assigned consumer."""

    topic: str
    partition: int = 0
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryCommit:
    """Commits an offset for a group that has no members."""

    group: str
    topic: str
    partition: int = 0
    offset: int = 0


LibraryStep = LibraryProduce | LibraryRead | LibraryCommit


@dataclass(frozen=True, slots=True)
class Came:
    """A record as the consumer returned it."""

    offset: int
    value: bytes | None


class LibraryClients(Protocol):
    """A producer and consumers for one cluster."""

    def produce(self, topic: str, partition: int, values: Sequence[str]) -> list[int] | str:
        """Sends values; returns their acknowledged offsets, or the name of the error that refused one. ClientTrouble if
        it is unknown whether a record was written."""
        ...

    def read(self, topic: str, partition: int, offset: int, end: int) -> list[Came]:
        """The records from `offset` to `end` (exclusive); fewer if none came for 20 s. ClientTrouble for an error that
        the library does not retry."""
        ...

    def commit(self, group: str, topic: str, partition: int, offset: int) -> int:
        """Commits an offset; returns the error code, 0 for success. ClientTrouble for an error of the library."""
        ...

    def begin(self) -> None:
        """Starts a new sequence: closes the consumers of the previous sequence's groups."""
        ...

    def close(self) -> None:
        """Closes all clients."""
        ...
