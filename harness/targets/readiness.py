"""Whether a node answers: ApiVersions, then Metadata that lists a broker."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from typing import Any

from harness.targets.target import TargetTrouble
from reference_broker.wire.api_keys import ApiKey
from reference_broker.wire.framing import decode_response, encode_request
from reference_broker.wire.messages.api_versions_request import ApiVersionsRequest
from reference_broker.wire.messages.metadata_request import MetadataRequest
from reference_broker.wire.primitives import MalformedRequest

_CLIENT_ID = "readiness"
_ANSWER_TIMEOUT_S = 2.0
_EVERY_S = 0.02
_OLDEST_METADATA = 1
_LOG_LINES = 15


def ask(address: tuple[str, int], key: int, version: int, message: Any, timeout_s: float = _ANSWER_TIMEOUT_S) -> Any:
    """One request on a connection of its own. OSError or MalformedRequest when there is no proper answer."""
    with socket.create_connection(address, timeout=timeout_s) as connection:
        connection.sendall(b"".join(bytes(part) for part in encode_request(key, version, 1, _CLIENT_ID, message)))  # type: ignore[arg-type]
        (size,) = struct.unpack(">i", _exactly(connection, 4))
        if size < 0:
            raise MalformedRequest(f"a response of {size} bytes")
        return decode_response(key, version, _exactly(connection, size))[1]


def _exactly(connection: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(size - len(parts))
        if not part:
            raise ConnectionResetError("the connection was closed before the answer was whole")
        parts += part
    return bytes(parts)


def answers(address: tuple[str, int], timeout_s: float = _ANSWER_TIMEOUT_S) -> bool:
    """Whether a node answers ApiVersions now."""
    try:
        return bool(ask(address, ApiKey.API_VERSIONS, 0, ApiVersionsRequest(), timeout_s).error_code == 0)
    except (OSError, MalformedRequest):
        return False


def lists_a_broker(address: tuple[str, int]) -> bool:
    """Whether a node's metadata names a broker: only then has it registered and will serve topics."""
    try:
        response = ask(address, ApiKey.METADATA, _OLDEST_METADATA, MetadataRequest(topics=()))
        return bool(response.brokers)
    except (OSError, MalformedRequest):
        return False


def wait_until_ready(
    address: tuple[str, int], *, name: str, timeout_s: float, is_alive: Callable[[], bool], log_text: Callable[[], str]
) -> None:
    """Waits until a node answers and lists a broker. TargetTrouble, with the end of its log, when it ends first."""
    deadline = time.monotonic() + timeout_s
    while not (answers(address) and lists_a_broker(address)):
        if not is_alive():
            raise TargetTrouble(f"{name} ended before it was ready; its log ends:\n{last_lines(log_text())}")
        if time.monotonic() > deadline:
            raise TargetTrouble(
                f"{name} does not answer at {address[0]}:{address[1]} after {timeout_s:g} s; "
                f"its log ends:\n{last_lines(log_text())}"
            )
        time.sleep(_EVERY_S)


def last_lines(text: str, count: int = _LOG_LINES) -> str:
    """The end of a log, indented, without the frames of Java stack traces."""
    lines = [line for line in text.splitlines() if not line.startswith("\tat ")]
    return "\n".join("    " + line for line in lines[-count:]) or "    (nothing)"
