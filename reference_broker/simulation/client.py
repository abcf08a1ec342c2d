"""A raw client in a world: frames out, frames back, on virtual time."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from reference_broker.simulation.network import CLIENT, Address, Closed, Opening, Payload, Place, Stream
from reference_broker.simulation.tasks import Promise

if TYPE_CHECKING:
    from reference_broker.simulation.world import World

SIZE_BYTES: Final = 4


class ConnectionLost(Exception):
    """A client's connection ended, or could not be opened; the text says why."""


class RawConnection:
    """A client's connection. Requests may be sent before it is open; responses come in the order of the requests.

    `closed` holds why it ended, None while it has not. A cut link keeps it silent for as long as it is cut: whoever
    waits needs a limit of their own, and `close`.
    """

    def __init__(self, world: World, place: Place, address: Address) -> None:
        self._world = world
        self.opened: Promise[None] = Promise()
        """Kept when the node has accepted it."""
        self.closed: str | None = None
        self._expected: deque[Promise[bytes]] = deque()
        self._partial = bytearray()
        self._unsent: list[bytes] = []
        self._stream = world.network.connect(place, address, self)

    def request(self, frame: bytes) -> Promise[bytes]:
        """Send a request frame, its size in front; the response frame, without it. ConnectionLost where none comes."""
        promise: Promise[bytes] = Promise()
        if self.closed is not None:
            promise.fail(ConnectionLost(self.closed))
            return promise
        self._expected.append(promise)
        self.send(frame)
        return promise

    def send(self, data: bytes) -> None:
        """Send bytes that no response is expected to."""
        if self.opened.is_done:
            self._world.network.send(self._stream, CLIENT, data)
        else:
            self._unsent.append(data)

    def close(self, reason: str = "closed by the client") -> None:
        """End it; requests that wait are lost."""
        if self.closed is None:
            self._world.network.close(self._stream, CLIENT, reason)
            self._end(reason)

    def take(self, stream: Stream, payload: Payload) -> None:
        """Something came."""
        if payload is Opening.ACCEPTED:
            for data in self._unsent:
                self._world.network.send(stream, CLIENT, data)
            self._unsent.clear()
            self.opened.keep(None)
        elif isinstance(payload, Closed):
            self._end(payload.reason)
        elif isinstance(payload, bytes):
            self._partial += payload
            self._hand_out()

    def _hand_out(self) -> None:
        while len(self._partial) >= SIZE_BYTES:
            end = SIZE_BYTES + int.from_bytes(self._partial[:SIZE_BYTES], "big")
            if len(self._partial) < end:
                return
            frame = bytes(self._partial[SIZE_BYTES:end])
            del self._partial[:end]
            if self._expected:
                self._expected.popleft().keep(frame)

    def _end(self, reason: str) -> None:
        self.closed = reason
        self.opened.fail(ConnectionLost(reason))
        while self._expected:
            self._expected.popleft().fail(ConnectionLost(reason))
