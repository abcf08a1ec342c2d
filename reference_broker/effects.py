"""All that a node can ask for. The core returns these; only `reference_broker.server` carries them out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NewType, Protocol

from msgspec import Struct

from reference_broker.environment import Now
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.primitives import Buffer, FileSlice

ConnectionId = NewType("ConnectionId", int)


class _Sentinel:
    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


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


class Peer(Struct, frozen=True):
    """Where another node listens. Its node id is -1 while only the address is known (a bootstrap server)."""

    node_id: int
    host: str
    port: int


class Send(Struct, frozen=True):
    """A request to a peer. The node is told of the response, or that none will come, under `token`.

    Requests of one `channel` to one peer go over one connection, in order; the version is the latest that both sides
    know. A peer that has not answered after `timeout_ms` is lost, and the channel's connection with it.
    """

    token: int
    peer: Peer
    channel: str
    api_key: ApiKey
    request: Any
    timeout_ms: int


class Flushable(Protocol):
    """Something written that a crash may still lose: a file, or the names in a folder."""

    def flush(self) -> None:
        """Return only when it is on stable storage; OSError where that fails. May be called from another thread."""


class Flush(Struct, frozen=True):
    """Bring what was written to stable storage, in order; the node is told under `token` when that is so."""

    token: int
    targets: tuple[Flushable, ...]


class PeerLost(Struct, frozen=True):
    """The outcome of a `Send` that got no response: the connection failed, or the time was over."""

    reason: str


class NotServed(PeerLost, frozen=True):
    """The outcome of a `Send` that was not sent: the peer serves no version of the API in which it can be written."""


NO_NODE: Final = -2
"""An own node id that no peer has; -1 is a peer whose id is not known."""

Effect = Reply | Close | Halt | Send | Flush


@dataclass(slots=True)
class Outbox:
    """Where the parts of a node put what they ask for, and whom the outcome is told to.

    Every request and flush has one outcome: its response, `PeerLost`, None for done, or the OSError of a flush.
    A request to `own_node_id` is put into `local`: the node serves it itself.
    """

    own_node_id: int = NO_NODE
    local: list[Send] = field(default_factory=list)
    _effects: list[Effect] = field(default_factory=list)
    _waiting: dict[int, Callable[[Any, Now], None]] = field(default_factory=dict)
    _count: int = 0

    def put(self, effect: Reply | Close | Halt) -> None:
        """Ask for something that has no outcome."""
        self._effects.append(effect)

    def send(
        self,
        peer: Peer,
        api_key: ApiKey,
        request: Any,
        *,
        channel: str,
        timeout_ms: int,
        then: Callable[[Any, Now], None],
    ) -> None:
        """Send a request; `then` gets the response or `PeerLost`."""
        sent = Send(self._expect(then), peer, channel, api_key, request, timeout_ms)
        (self.local if peer.node_id == self.own_node_id else self._effects).append(sent)

    def flush(self, targets: Sequence[Flushable], then: Callable[[OSError | None, Now], None]) -> None:
        """Flush; `then` gets None once everything is on stable storage, or the error."""
        self._effects.append(Flush(self._expect(then), tuple(targets)))

    def _expect(self, then: Callable[[Any, Now], None]) -> int:
        self._count += 1
        self._waiting[self._count] = then
        return self._count

    def settle(self, token: int, outcome: Any, now: Now) -> None:
        """The outcome of a request or a flush is known; one that nobody waits for is passed over."""
        then = self._waiting.pop(token, None)
        if then is not None:
            then(outcome, now)

    def take(self) -> list[Effect]:
        """All that was asked for since the last call."""
        effects, self._effects = self._effects, []
        return effects
