"""A plain synchronous connection to a broker, over the project's own implementation of the wire protocol."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from harness.clients.stepped.connection import Connection
from harness.hosts.executor import current


class RawConnection:
    """One connection. OSError (TimeoutError included) when the peer is unreachable, closes, or is too slow."""

    def __init__(self, host: str, port: int, *, client_id: str | None = "raw", timeout_s: float = 10.0) -> None:
        self._run = current().run
        self._stepped = self._run(
            Connection.open(current(), host, port, client_id=client_id, timeout_s=timeout_s),
        )

    @classmethod
    def to(cls, bootstrap: str, *, client_id: str | None = "raw", timeout_s: float = 10.0) -> RawConnection:
        """Connects to the first address of a "host:port,…" list that accepts; else raises the last error."""
        opening = Connection.to(current(), bootstrap, client_id=client_id, timeout_s=timeout_s)
        return cls.over(current().run(opening))

    @classmethod
    def over(cls, stepped: Connection) -> RawConnection:
        """The same connection, synchronous."""
        made = cls.__new__(cls)
        made._run, made._stepped = current().run, stepped
        return made

    @property
    def stepped(self) -> Connection:
        """The same connection, for tasks."""
        return self._stepped

    @property
    def client_id(self) -> str | None:
        """What it tells of itself in each request."""
        return self._stepped.client_id

    @property
    def timeout_s(self) -> float:
        """How long a response may take, unless a request says otherwise."""
        return self._stepped.timeout_s

    def request(self, api_key: int, version: int, message: Any, timeout_s: float | None = None) -> Any:
        """Sends a request and returns the response. MalformedRequest when the response cannot be decoded."""
        return self._run(self._stepped.request(api_key, version, message, timeout_s))

    def send_only(self, api_key: int, version: int, message: Any) -> None:
        """Sends a request without waiting for a response, e.g. Produce with acks=0, which has none."""
        self._run(self._stepped.send_only(api_key, version, message))

    def listed(self, api_key: int) -> tuple[int, int]:
        """(lowest, highest) version of an API in the broker's ApiVersions response; (0, -1) if it is not listed."""
        return self._run(self._stepped.listed(api_key))

    def all_listed(self) -> Mapping[int, tuple[int, int]]:
        """API key → (lowest, highest) version, from the broker's ApiVersions response."""
        return self._run(self._stepped.all_listed())

    def highest(self, api_key: int, at_most: int = 32_767) -> int:
        """The highest version that both sides support, at most `at_most`. ConnectionError when there is none."""
        return self._run(self._stepped.highest(api_key, at_most))

    def send_bytes(self, data: bytes) -> None:
        """Sends raw bytes, which need not be a valid request."""
        self._run(self._stepped.send_bytes(data))

    def receive_frame(self, timeout_s: float | None = None) -> bytes:
        """The next frame, without its size. ConnectionError when the peer closes before its end."""
        return self._run(self._stepped.receive_frame(timeout_s))

    def has_answer(self, within_s: float) -> bool:
        """Whether bytes, or the end of the stream, arrive in this time. Reads nothing."""
        return self._run(self._stepped.stream.has_arrived(within_s))

    def is_closed_by_peer(self, timeout_s: float = 5.0) -> bool:
        """Whether the peer closes the connection in this time without sending anything more."""
        return self._run(self._stepped.stream.is_closed_by_peer(timeout_s))

    def close(self) -> None:
        """Closes the connection; may be called twice."""
        self._stepped.close()

    def __enter__(self) -> RawConnection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
