"""A connection to a broker, over the project's own implementation of the wire protocol, as coroutines."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from harness.hosts.executor import Executor, Stream
from reference_broker.wire.api_keys import APIS
from reference_broker.wire.framing import decode_response, encode_request
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest

_API_VERSIONS = 18
_LARGEST_FRAME = 256 * 1024 * 1024


class Connection:
    """One connection. OSError (TimeoutError included) when the peer is unreachable, closes, or is too slow."""

    def __init__(self, stream: Stream, *, client_id: str | None, timeout_s: float) -> None:
        self.stream = stream
        self.client_id = client_id
        self.timeout_s = timeout_s
        self._correlation_id = 0
        self._versions: dict[int, tuple[int, int]] = {}

    @classmethod
    async def open(
        cls, executor: Executor, host: str, port: int, *, client_id: str | None = "raw", timeout_s: float = 10.0
    ) -> Connection:
        """A new connection to one address."""
        return cls(await executor.connect(host, port, timeout_s), client_id=client_id, timeout_s=timeout_s)

    @classmethod
    async def to(
        cls, executor: Executor, bootstrap: str, *, client_id: str | None = "raw", timeout_s: float = 10.0
    ) -> Connection:
        """Connects to the first address of a "host:port,…" list that accepts; else raises the last error."""
        trouble: OSError = ConnectionError(f"no address in {bootstrap!r}")
        for address in bootstrap.split(","):
            host, _, port = address.rpartition(":")
            try:
                return await cls.open(executor, host, int(port), client_id=client_id, timeout_s=timeout_s)
            except OSError as error:
                trouble = error
        raise trouble

    async def request(self, api_key: int, version: int, message: Any, timeout_s: float | None = None) -> Any:
        """Sends a request and returns the response. MalformedRequest when the response cannot be decoded."""
        await self.send_only(api_key, version, message)
        sent = self._correlation_id
        correlation_id, response = decode_response(api_key, version, await self.receive_frame(timeout_s))
        if correlation_id != sent:
            raise ConnectionError(f"answer {correlation_id} to request {sent}: out of order")
        return response

    async def send_only(self, api_key: int, version: int, message: Any) -> None:
        """Sends a request without waiting for a response, e.g. Produce with acks=0, which has none."""
        self._correlation_id += 1
        frame = encode_request(api_key, version, self._correlation_id, self.client_id, message)
        await self.send_bytes(b"".join(bytes(part) for part in frame if not hasattr(part, "descriptor")))

    async def listed(self, api_key: int) -> tuple[int, int]:
        """(lowest, highest) version of an API in the broker's ApiVersions response; (0, -1) if it is not listed."""
        return (await self.all_listed()).get(api_key, (0, -1))

    async def all_listed(self) -> Mapping[int, tuple[int, int]]:
        """API key → (lowest, highest) version, from the broker's ApiVersions response."""
        if not self._versions:
            asked = ApiVersionsRequest(client_software_name="raw", client_software_version="1")
            response = await self.request(_API_VERSIONS, 3, asked)
            self._versions = {key.api_key: (key.min_version, key.max_version) for key in response.api_keys}
        return self._versions

    async def highest(self, api_key: int, at_most: int = 32_767) -> int:
        """The highest version that both sides support, at most `at_most`. ConnectionError when there is none."""
        low, high = await self.listed(api_key)
        best = min(high, at_most, APIS[api_key].valid[1])
        if best < low:
            raise ConnectionError(f"the broker does not serve {APIS[api_key].name} up to version {at_most}")
        return best

    async def send_bytes(self, data: bytes) -> None:
        """Sends raw bytes, which need not be a valid request."""
        await self.stream.send(data, self.timeout_s)

    async def receive_frame(self, timeout_s: float | None = None) -> bytes:
        """The next frame, without its size. ConnectionError when the peer closes before its end."""
        within_s = self.timeout_s if timeout_s is None else timeout_s
        (size,) = struct.unpack(">i", await self.stream.receive(4, within_s))
        if not 0 <= size <= _LARGEST_FRAME:
            raise ConnectionError(f"a frame of {size} bytes")
        return await self.stream.receive(size, within_s)

    def close(self) -> None:
        """Closes the connection; may be called twice."""
        self.stream.close()
