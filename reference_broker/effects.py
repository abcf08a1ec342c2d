"""All that a node can ask for. The core returns these; only `reference_broker.server` carries them out."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NewType

from msgspec import Struct

from reference_broker.wire.primitives import Buffer, FileSlice

ConnectionId = NewType("ConnectionId", int)

WatchKey = Hashable
"""What a parked request waits on, e.g. ("partition", topic_id, index) or ("group", group_id)."""


class Ticket(Struct, frozen=True):
    """A request's claim to one answer: which connection, and how to encode the answer.

    A connection has one request in progress at a time, so that answers keep the order of requests.
    """

    connection: ConnectionId
    correlation_id: int
    api_key: int
    api_version: int


@dataclass(frozen=True, slots=True)
class Park:
    """A handler's wish to answer later: once `is_ready()` is true after one of `keys` was touched, or at the deadline.

    `resume(now_ms)` makes the response message in either case.
    """

    keys: tuple[WatchKey, ...]
    is_ready: Callable[[], bool]
    deadline_ms: int
    resume: Callable[[int], Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """The response message to a request that was deferred, now that it is known; a KafkaError refuses it."""

    ticket: Ticket
    response: Any


class _Sentinel:
    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


DEFERRED: Final = _Sentinel("DEFERRED")
"""A handler's result: a coordinator holds the ticket and will give an `Answer`."""

NO_RESPONSE: Final = _Sentinel("NO_RESPONSE")
"""A handler's result: the protocol knows no answer to this request (Produce with acks=0)."""

HANG_UP: Final = _Sentinel("HANG_UP")
"""A handler's result: there is no answer, and the client must learn of trouble by a closed connection (acks=0)."""


class Reply(Struct, frozen=True):
    """Bytes for a connection, already framed. The node wants to be told by `on_written` when they have gone out."""

    connection: ConnectionId
    buffers: Sequence[Buffer | FileSlice]


@dataclass(frozen=True, slots=True)
class Close:
    """Close a connection at once."""

    connection: ConnectionId
    reason: str


@dataclass(frozen=True, slots=True)
class Halt:
    """Stop the process at once with a non-zero status: going on could break a promise."""

    reason: str


Effect = Reply | Close | Halt
