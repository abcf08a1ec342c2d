"""A client's connection without its socket: bytes in, request frames out, one in progress at a time.

Kafka serves a connection's requests one after the other, and reads none while one is in progress; so answers are in
the order of requests, and a client that pipelines or does not read cannot make the broker hold more than one answer.
Source: Kafka protocol guide, "Network"; KIP-219.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from reference_broker.effects import ConnectionId
from reference_broker.wire.primitives import MalformedRequest

SIZE_BYTES = 4
READ_BYTES = 131_072
"""What a read asks for, unless a large request is on its way."""
LARGEST_READ = 1 << 20
LANDING_FROM = 1 << 15
LARGEST_LANDING = 2 << 20
"""A request of a size between these is read right into a buffer of its size."""
TRUSTED = 16
"""A buffer is made for a request once a part of it has come that is not smaller than one in so many."""


class Landings:
    """Buffers for large requests. The last one is used again, where nobody looks at it any more: new memory is dear."""

    def __init__(self) -> None:
        self._last = bytearray()

    def take(self, size: int) -> memoryview:
        """Room for so many bytes, whatever stands in it now."""
        if len(self._last) < size or not self._is_free():
            self._last = bytearray(size)
        return memoryview(self._last)[:size]

    def _is_free(self) -> bool:
        try:
            self._last.append(0)  # Python refuses to resize what a memoryview still shows.
        except BufferError:
            return False
        self._last.pop()
        return True


class Connection:
    """One client. `is_writing` says that the answer to its last request is on its way out.

    `frames` are whole requests that wait for their turn; `is_landing`: `landing` waits for the rest of a large one.
    `in_progress` is what the node knows of the request that it serves now, None without one; `session` what it knows
    of the client.
    """

    __slots__ = (
        "_landed",
        "_landing",
        "_landings",
        "_largest",
        "_partial",
        "client_host",
        "frames",
        "id",
        "in_progress",
        "is_landing",
        "is_writing",
        "listener",
        "session",
    )

    def __init__(
        self, id: ConnectionId, listener: str, client_host: str, largest_request: int, landings: Landings | None = None
    ) -> None:
        """`landings` is what connections share."""
        self.id, self.listener, self.client_host = id, listener, client_host
        self._largest = largest_request
        self._landings = landings or Landings()
        self._landing: memoryview | None = None
        self._landed = 0
        self.is_landing = False
        self.frames: deque[memoryview] = deque()
        self._partial = bytearray()
        self.in_progress: Any = None
        self.session: Any = None
        self.is_writing = False

    @property
    def is_busy(self) -> bool:
        """Whether a request is in progress, or its answer not written yet."""
        return self.in_progress is not None or self.is_writing

    @property
    def wanted_bytes(self) -> int:
        """How much the next read should ask for; 0 while nothing should be read."""
        if self.frames or self.is_writing or self.in_progress is not None:
            return 0
        if self._landing is not None:
            return len(self._landing) - self._landed
        if len(self._partial) < SIZE_BYTES:
            return READ_BYTES
        missing = SIZE_BYTES + int.from_bytes(self._partial[:SIZE_BYTES], "big") - len(self._partial)
        return min(max(missing, READ_BYTES), LARGEST_READ)

    @property
    def landing(self) -> memoryview | None:
        """Where the rest of a large request should be read to; None where `receive` takes what comes."""
        return None if self._landing is None else self._landing[self._landed :]

    def land(self, count: int) -> None:
        """So many bytes were read to `landing`."""
        self._landed += count
        if self._landing is not None and self._landed == len(self._landing):
            self.frames.append(self._landing)
            self._landing, self.is_landing = None, False

    def receive(self, data: bytes) -> None:
        """Take what came, where there is no `landing`.

        MalformedRequest for a size that no request may have: nothing after it can be read.
        """
        source: bytes | bytearray = data
        if self._partial:
            self._partial += data
            source = self._partial
        at, end = 0, len(source)
        view = memoryview(source)
        while end - at >= SIZE_BYTES:
            size = int.from_bytes(view[at : at + SIZE_BYTES], "big", signed=True)
            if size < 0 or size > self._largest:
                raise MalformedRequest(f"a request of {size} bytes; socket.request.max.bytes={self._largest}")
            if end - at - SIZE_BYTES < size:
                if LANDING_FROM <= size <= min(LARGEST_LANDING, (end - at) * TRUSTED):
                    self._landing, self.is_landing = self._landings.take(size), True
                    self._landed = end - at - SIZE_BYTES
                    self._landing[: self._landed] = view[at + SIZE_BYTES :]
                    at = end
                break
            self.frames.append(view[at + SIZE_BYTES : at + SIZE_BYTES + size])
            at += SIZE_BYTES + size
        if at or source is data:
            # Frames that were handed out share the old buffer, so what is left over moves into one of its own.
            self._partial = bytearray(view[at:])
        view.release()

    def hang_up(self) -> None:
        """Forget what came and was not served: it stands behind something that ended the connection."""
        self.frames.clear()
        self._partial = bytearray()
        self._landing, self.is_landing = None, False

    def next_frame(self) -> memoryview | None:
        """The next whole request, when it is its turn."""
        if not self.frames or self.is_writing or self.in_progress is not None:
            return None
        return self.frames.popleft()
