"""One connection to a peer: connect, write, read, and lose it. `Peers` says when."""

from __future__ import annotations

import errno
import os
import selectors
import socket
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Final

from reference_broker.client_connection import ClientConnection
from reference_broker.connection_attempts import ConnectionAttempts
from reference_broker.effects import Peer
from reference_broker.server.link_filter import NOTHING
from reference_broker.wire.primitives import MalformedRequest

READ_BYTES: Final = 131_072
Address = tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int]]


class Phase(Enum):
    """How far a connection is. WAITING: not connected, and not to be before `attempts.retry_at_ms`."""

    WAITING = auto()
    RESOLVING = auto()
    CONNECTING = auto()
    OPEN = auto()


class PeerLink:
    """The connection of one channel to one peer; it is made anew when it was lost and there is something to send."""

    def __init__(
        self,
        peer: Peer,
        channel: str,
        selector: selectors.BaseSelector,
        attempts: ConnectionAttempts,
        make: Callable[[], ClientConnection],
    ) -> None:
        self.peer, self.channel, self.attempts = peer, channel, attempts
        self._selector, self._make = selector, make
        self.connection = make()
        self.phase = Phase.WAITING
        self.last_used_ms = 0
        self.cut = NOTHING
        """What the link filter drops of this connection; `write` makes a change of it count."""
        self.addresses: Sequence[Address] = ()
        self._raw: socket.socket | None = None
        self._events = 0
        self._outgoing: deque[memoryview] = deque()

    @property
    def where(self) -> str:
        """The peer, for people."""
        name = f"node {self.peer.node_id} at " if self.peer.node_id >= 0 else ""
        return f"{name}{self.peer.host}:{self.peer.port}"

    @property
    def next_deadline_ms(self) -> int:
        """When something is due: a connection, its time-out, or that of a request."""
        due = self.connection.next_deadline_ms
        if self.phase is Phase.WAITING and self.connection.has_requests:
            return min(due, self.attempts.retry_at_ms)
        return min(due, self.attempts.connect_by_ms)

    # -- connecting ---------------------------------------------------------------------------------------------

    def connect(self, address: Address) -> None:
        """Begin to connect. OSError where it fails at once. A cut link stays silent until the time is over."""
        self.phase = Phase.CONNECTING
        if self.cut:
            return
        family, where = address
        self._raw = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._raw.setblocking(False)
        self._raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = self._raw.connect_ex(where)
        if code not in (0, errno.EINPROGRESS):
            raise OSError(code, os.strerror(code))
        self._watch(selectors.EVENT_WRITE)

    @property
    def is_connected(self) -> bool:
        """Whether there is a socket, be it only on its way."""
        return self._raw is not None

    @property
    def is_silent(self) -> bool:
        """Whether a connection would be on its way, were its link not cut."""
        return self.phase is Phase.CONNECTING and self._raw is None

    def _finish_connecting(self) -> None:
        assert self._raw is not None
        code = self._raw.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        try:
            where = self._raw.getpeername()
        except OSError as error:
            if error.errno == errno.ENOTCONN:
                return  # the event was that of an earlier socket
            raise
        if self._raw.getsockname() == where:
            # On one machine, a port that nobody listens at may be given to the very socket that asks for it.
            raise OSError(errno.ECONNREFUSED, "nobody listens there")
        self.phase = Phase.OPEN
        self.attempts.end()
        self.connection.open(self.connection.next_deadline_ms)

    # -- writing and reading ------------------------------------------------------------------------------------

    def on_ready(self, events: int) -> None:
        """The socket is ready. OSError or MalformedRequest where the connection is lost."""
        if self._raw is None:
            return  # lost a moment ago
        if self.phase is Phase.CONNECTING:
            self._finish_connecting()
        elif events & selectors.EVENT_READ:
            self._read()
        self.write()

    def write(self) -> None:
        """Write what there is; the rest when the socket is ready. OSError where the connection is lost."""
        if self.phase is not Phase.OPEN or self._raw is None:
            return
        self._outgoing += map(memoryview, self.connection.take_outgoing())
        try:
            while self._outgoing and not self.cut.outgoing:
                sent = self._raw.send(self._outgoing[0])
                if sent < len(self._outgoing[0]):
                    self._outgoing[0] = self._outgoing[0][sent:]
                else:
                    self._outgoing.popleft()
        except (BlockingIOError, InterruptedError):
            pass
        is_writing = bool(self._outgoing) and not self.cut.outgoing
        self._watch((0 if self.cut.incoming else selectors.EVENT_READ) | (selectors.EVENT_WRITE if is_writing else 0))

    def _read(self) -> None:
        assert self._raw is not None
        try:
            landing = self.connection.landing
            if landing is not None:
                count = self._raw.recv_into(landing)
                if count:
                    self.connection.land(count)
            else:
                data = self._raw.recv(READ_BYTES)
                count = len(data)
                self.connection.receive(data)
        except (BlockingIOError, InterruptedError):
            return
        if not count:
            raise ConnectionResetError(errno.ECONNRESET, "the peer closed the connection")

    def _watch(self, events: int) -> None:
        if events == self._events or self._raw is None:
            return
        if not events:
            self._selector.unregister(self._raw)
        elif self._events:
            self._selector.modify(self._raw, events, self)
        else:
            self._selector.register(self._raw, events, self)
        self._events = events

    # -- loss ---------------------------------------------------------------------------------------------------

    def lose(self, reason: str) -> socket.socket | None:
        """Give up the connection and all its requests; returns the socket, which the caller closes."""
        self._watch(0)
        raw, self._raw = self._raw, None
        self._outgoing.clear()
        self.phase = Phase.WAITING
        self.attempts.end()
        self.connection.lose(f"{self.where}: {reason}")
        return raw

    def renew(self) -> None:
        """A connection for the next attempt, once the outcomes of the last one are taken."""
        self.connection = self._make()


def why(error: Exception) -> str:
    """What happened, for people."""
    if isinstance(error, MalformedRequest):
        return f"the peer does not keep to the protocol: {error}"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
