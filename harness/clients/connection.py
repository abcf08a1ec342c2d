"""A plain synchronous connection to a broker, over the project's own implementation of the wire protocol."""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from reference_broker.wire.api_keys import APIS
from reference_broker.wire.framing import decode_response, encode_request
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest

_API_VERSIONS = 18
_LARGEST_FRAME = 256 * 1024 * 1024


class RawConnection:
    """One TCP connection. OSError (TimeoutError included) when the peer is unreachable, closes, or is too slow."""

    def __init__(self, host: str, port: int, *, client_id: str | None = "raw", timeout_s: float = 10.0) -> None:
        self.client_id = client_id
        self.timeout_s = timeout_s
        self._correlation_id = 0
        self._versions: dict[int, tuple[int, int]] = {}
        self._socket = socket.create_connection((host, port), timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @classmethod
    def to(cls, bootstrap: str, *, client_id: str | None = "raw", timeout_s: float = 10.0) -> RawConnection:
        """Connects to the first address of a "host:port,…" list that accepts; else raises the last error."""
        trouble: OSError = ConnectionError(f"no address in {bootstrap!r}")
        for address in bootstrap.split(","):
            host, _, port = address.rpartition(":")
            try:
                return cls(host, int(port), client_id=client_id, timeout_s=timeout_s)
            except OSError as error:
                trouble = error
        raise trouble

    def request(self, api_key: int, version: int, message: Any, timeout_s: float | None = None) -> Any:
        """Sends a request and returns the response. MalformedRequest when the response cannot be decoded."""
        self._correlation_id += 1
        frame = encode_request(api_key, version, self._correlation_id, self.client_id, message)
        self.send_bytes(b"".join(bytes(part) for part in frame if not hasattr(part, "descriptor")))
        correlation_id, response = decode_response(api_key, version, self.receive_frame(timeout_s))
        if correlation_id != self._correlation_id:
            raise ConnectionError(f"answer {correlation_id} to request {self._correlation_id}: out of order")
        return response

    def send_only(self, api_key: int, version: int, message: Any) -> None:
        """Sends a request without waiting for a response, e.g. Produce with acks=0, which has none."""
        self._correlation_id += 1
        frame = encode_request(api_key, version, self._correlation_id, self.client_id, message)
        self.send_bytes(b"".join(bytes(part) for part in frame if not hasattr(part, "descriptor")))

    def listed(self, api_key: int) -> tuple[int, int]:
        """(lowest, highest) version of an API in the broker's ApiVersions response; (0, -1) if it is not listed."""
        return self.all_listed().get(api_key, (0, -1))

    def all_listed(self) -> Mapping[int, tuple[int, int]]:
        """API key → (lowest, highest) version, from the broker's ApiVersions response."""
        if not self._versions:
            response = self.request(
                _API_VERSIONS, 3, ApiVersionsRequest(client_software_name="raw", client_software_version="1")
            )
            self._versions = {key.api_key: (key.min_version, key.max_version) for key in response.api_keys}
        return self._versions

    def highest(self, api_key: int, at_most: int = 32_767) -> int:
        """The highest version that both sides support, at most `at_most`. ConnectionError when there is none."""
        low, high = self.listed(api_key)
        best = min(high, at_most, APIS[api_key].valid[1])
        if best < low:
            raise ConnectionError(f"the broker does not serve {APIS[api_key].name} up to version {at_most}")
        return best

    def send_bytes(self, data: bytes) -> None:
        """Sends raw bytes, which need not be a valid request."""
        self._socket.settimeout(self.timeout_s)
        self._socket.sendall(data)

    def receive_frame(self, timeout_s: float | None = None) -> bytes:
        """The next frame, without its size. ConnectionError when the peer closes before its end."""
        self._socket.settimeout(self.timeout_s if timeout_s is None else timeout_s)
        (size,) = struct.unpack(">i", self._exactly(4))
        if not 0 <= size <= _LARGEST_FRAME:
            raise ConnectionError(f"a frame of {size} bytes")
        return self._exactly(size)

    def has_answer(self, within_s: float) -> bool:
        """Whether bytes, or the end of the stream, arrive in this time. Reads nothing."""
        return bool(select.select([self._socket], [], [], within_s)[0])

    def is_closed_by_peer(self, timeout_s: float = 5.0) -> bool:
        """Whether the peer closes the connection in this time without sending anything more."""
        self._socket.settimeout(timeout_s)
        try:
            return self._socket.recv(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True

    def _exactly(self, size: int) -> bytes:
        found = bytearray(size)
        view = memoryview(found)
        at = 0
        while at < size:
            count = self._socket.recv_into(view[at:])
            if count == 0:
                raise ConnectionResetError(f"the broker closed the connection after {at} of {size} bytes")
            at += count
        return bytes(found)

    def close(self) -> None:
        """Closes the connection; may be called twice."""
        self._socket.close()

    def __enter__(self) -> RawConnection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
