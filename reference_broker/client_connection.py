"""A connection to a peer without its socket: requests out, responses matched, timeouts by monotonic time.

The first request is ApiVersions; others wait until it is answered, and then go out in order, each in the latest version
that both sides know. Where there is none, nothing is sent: that request alone is lost, with `NotServed`.
Source: Kafka protocol guide, "Retrieving Supported API versions"; KIP-35, KIP-511.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from reference_broker.effects import NotServed, PeerLost, Send
from reference_broker.waiting import NEVER_MS
from reference_broker.wire.api_keys import APIS, ApiKey
from reference_broker.wire.codec import decode_prefix
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.framing import decode_response, encode_request
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest
from reference_broker.wire.messages.api_versions_response import ApiVersionsResponse
from reference_broker.wire.primitives import FileSlice, MalformedRequest, UnencodableResponse
from reference_broker.wire.schema import Versions

SIZE_BYTES: Final = 4
CORRELATION_BYTES: Final = 4
LARGEST_RESPONSE: Final = 1 << 30
LANDING_FROM: Final = 1 << 15
LARGEST_LANDING: Final = 64 << 20
"""A response of a size between these is read right into a buffer of its size."""
MEANT_NODE_SINCE: Final = 5
"""The version of ApiVersions that names the node that is meant (KIP-1242); we do not name it."""
SOFTWARE_NAME: Final = "reference-broker"
SOFTWARE_VERSION: Final = "0.1.0"
NO_TOKEN: Final = 0

Outcome = tuple[int, Any]
"""(token, response message or PeerLost)."""


def known_versions() -> dict[int, Versions]:
    """API key -> the stable versions that our schemas know."""
    known = {key: (api.valid[0], api.valid[1] - int(api.latest_is_unstable)) for key, api in APIS.items()}
    known[ApiKey.API_VERSIONS] = (0, MEANT_NODE_SINCE - 1)
    return known


class _Expected(Struct, frozen=True):
    """A request that is on its way, and what reads its response."""

    token: int
    api_key: int
    version: int
    deadline_ms: int


class _Queued(Struct, frozen=True):
    """A request that waits until the peer's versions are known."""

    token: int
    api_key: ApiKey
    message: Any
    deadline_ms: int


class ClientConnection:
    """One connection to one peer. `is_ready` says that the peer's versions are known.

    Every request that was taken has one outcome in `take_outcomes`, by a response, by `lose`, or because it cannot be
    written for this peer. `known` are the versions that this side may use (the release's, or all of the schemas).
    """

    def __init__(self, client_id: str, known: Mapping[int, Versions]) -> None:
        self._client_id, self._known = client_id, known
        self._theirs: dict[int, Versions] = {}
        self.is_ready = False
        self._queue: deque[_Queued] = deque()
        self._expected: dict[int, _Expected] = {}
        self._outgoing: list[bytes] = []
        self._outcomes: list[Outcome] = []
        self._count = 0
        self._partial = bytearray()
        self._landing: bytearray | None = None
        self._landed = 0

    # -- requests out -------------------------------------------------------------------------------------------

    def open(self, deadline_ms: int) -> None:
        """The connection is there: ask for the peer's versions, to be answered by `deadline_ms` (monotonic)."""
        self._ask_versions(self._known[ApiKey.API_VERSIONS][1], deadline_ms)

    def _ask_versions(self, version: int, deadline_ms: int) -> None:
        message = ApiVersionsRequest(client_software_name=SOFTWARE_NAME, client_software_version=SOFTWARE_VERSION)
        self._write(_Queued(NO_TOKEN, ApiKey.API_VERSIONS, message, deadline_ms), version)

    def request(self, send: Send, deadline_ms: int) -> None:
        """Take a request over; it is to be answered by `deadline_ms` (monotonic)."""
        one = _Queued(send.token, send.api_key, send.request, deadline_ms)
        if self.is_ready:
            self._write_in_common(one)
        else:
            self._queue.append(one)

    def take_outgoing(self) -> list[bytes]:
        """Bytes for the peer since the last call, in order."""
        outgoing = self._outgoing
        if outgoing:
            self._outgoing = []
        return outgoing

    def take_outcomes(self) -> list[Outcome]:
        """Outcomes since the last call, in the order in which they became known."""
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    def _write_queued(self) -> None:
        while self._queue:
            self._write_in_common(self._queue.popleft())

    def _write_in_common(self, one: _Queued) -> None:
        version = self._common_version(one.api_key)
        if version is None:
            self._outcomes.append((one.token, NotServed(f"the peer serves no version of {one.api_key.name}")))
        else:
            self._write(one, version)

    def _common_version(self, api_key: int) -> int | None:
        """The latest version that both sides know."""
        ours, theirs = self._known.get(api_key), self._theirs.get(api_key)
        if ours is None or theirs is None:
            return None
        version = min(ours[1], theirs[1])
        return version if version >= max(ours[0], theirs[0]) else None

    def _write(self, one: _Queued, version: int) -> None:
        correlation_id = self._count
        self._count = (self._count + 1) & 0x7FFFFFFF
        try:
            buffers = encode_request(one.api_key, version, correlation_id, self._client_id, one.message)
        except UnencodableResponse as error:
            self._outcomes.append((one.token, NotServed(f"the request cannot be written for this peer: {error}")))
            return
        if len(buffers) > 1:
            self._outgoing.append(b"".join(part for part in buffers if not isinstance(part, FileSlice)))
        else:
            self._outgoing.append(bytes(buffers[0]))  # type: ignore[arg-type]
        self._expected[correlation_id] = _Expected(one.token, one.api_key, version, one.deadline_ms)

    # -- responses in -------------------------------------------------------------------------------------------

    @property
    def landing(self) -> memoryview | None:
        """Where the rest of a large response should be read to; None where `receive` takes what comes."""
        return None if self._landing is None else memoryview(self._landing)[self._landed :]

    def land(self, count: int) -> None:
        """So many bytes were read to `landing`. MalformedRequest as for `receive`."""
        self._landed += count
        if self._landing is not None and self._landed == len(self._landing):
            frame, self._landing = self._landing, None
            self._take_response(memoryview(frame))

    def receive(self, data: bytes) -> None:
        """Bytes of the peer. MalformedRequest when they are no response to what was asked: nothing more can be read."""
        self._partial += data
        at, end = 0, len(self._partial)
        buffer = memoryview(self._partial)
        while end - at >= SIZE_BYTES:
            size = int.from_bytes(buffer[at : at + SIZE_BYTES], "big", signed=True)
            if not CORRELATION_BYTES <= size <= LARGEST_RESPONSE:
                raise MalformedRequest(f"a response of {size} bytes")
            start = at + SIZE_BYTES
            if end - start < size:
                if LANDING_FROM <= size <= LARGEST_LANDING:
                    self._landing, self._landed = bytearray(size), end - start
                    self._landing[: self._landed] = buffer[start:]
                    at = end
                break
            self._take_response(buffer[start : start + size])
            at = start + size
        if at:
            # Messages keep slices of the old buffer, so what is left over moves into one of its own.
            self._partial = bytearray(buffer[at:])

    def _take_response(self, frame: memoryview) -> None:
        correlation_id = int.from_bytes(frame[:CORRELATION_BYTES], "big", signed=True)
        expected = self._expected.pop(correlation_id, None)
        if expected is None:
            raise MalformedRequest(f"a response to request {correlation_id}, which was not asked")
        if expected.token == NO_TOKEN:
            self._take_versions(expected, frame)
            return
        try:
            _, message = decode_response(expected.api_key, expected.version, frame)
        except MalformedRequest:
            self._expected[correlation_id] = expected  # `lose` gives it its outcome
            raise
        self._outcomes.append((expected.token, message))

    def _take_versions(self, expected: _Expected, frame: memoryview) -> None:
        """The handshake. A peer that does not know our version answers in version 0, and says which it knows."""
        error = int.from_bytes(frame[CORRELATION_BYTES : CORRELATION_BYTES + 2], "big", signed=True)
        if error == ErrorCode.UNSUPPORTED_VERSION and expected.version > 0:
            answer, _ = decode_prefix(ApiVersionsResponse, 0, frame, CORRELATION_BYTES)
            rows = [row.max_version for row in answer.api_keys if row.api_key == ApiKey.API_VERSIONS]
            self._ask_versions(min([*rows, expected.version - 1]) if rows else 0, expected.deadline_ms)
            return
        if error != ErrorCode.NONE:
            raise MalformedRequest(f"ApiVersions was refused with error {error}")
        _, message = decode_response(ApiKey.API_VERSIONS, expected.version, frame)
        self._theirs = {row.api_key: (row.min_version, row.max_version) for row in message.api_keys}
        self.is_ready = True
        self._write_queued()

    # -- time and loss ------------------------------------------------------------------------------------------

    @property
    def has_requests(self) -> bool:
        """Whether any request waits for its outcome."""
        if self._queue:
            return True
        return any(one.token != NO_TOKEN for one in self._expected.values())

    @property
    def next_deadline_ms(self) -> int:
        """The monotonic time at which the first request is overdue, and the peer lost."""
        earliest = NEVER_MS
        for sent in self._expected.values():
            if sent.deadline_ms < earliest:
                earliest = sent.deadline_ms
        for queued in self._queue:
            if queued.deadline_ms < earliest:
                earliest = queued.deadline_ms
        return earliest

    def lose(self, reason: str) -> None:
        """The connection is over: every request that waits is lost."""
        lost = [one.token for one in self._expected.values() if one.token != NO_TOKEN]
        lost += [one.token for one in self._queue]
        self._expected.clear()
        self._queue.clear()
        self._outgoing.clear()
        self._outcomes += [(token, PeerLost(reason)) for token in lost]
