"""Requests and responses with their headers, and the four bytes of size before them.

Source: Kafka protocol guide, "Common Request and Response Structure"; KIP-482 for header versions.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from reference_broker.wire.api_keys import APIS
from reference_broker.wire.codec import decode_prefix, encode, size_of_records
from reference_broker.wire.messages.request_header import RequestHeader
from reference_broker.wire.messages.response_header import ResponseHeader
from reference_broker.wire.primitives import Buffer, FileSlice, MalformedRequest

_PREFIX = struct.Struct(">hhi")
_USUAL_HEADER = struct.Struct(">hhih")
"""The same, and the length of the client id."""
_ANSWER = struct.Struct(">ii")
"""Size and correlation id; a flexible header ends with the number of its tagged fields, none."""
_FLEXIBLE_ANSWER = struct.Struct(">iix")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request with what its header said."""

    api_key: int
    api_version: int
    correlation_id: int
    client_id: str | None
    message: Any


class UnsupportedVersion(MalformedRequest):
    """A header that names an API or version that the schemas do not know; the body cannot be read."""

    def __init__(self, api_key: int, api_version: int, correlation_id: int) -> None:
        super().__init__(f"no API with key {api_key} has version {api_version}")
        self.api_key = api_key
        self.api_version = api_version
        self.correlation_id = correlation_id


def decode_request_header(frame: Buffer) -> tuple[RequestHeader, int]:
    """(header, where the body starts). UnsupportedVersion when the key or version is unknown."""
    if len(frame) < _PREFIX.size:
        raise MalformedRequest(f"a request of {len(frame)} bytes has no room for a header")
    key, version, correlation_id = _PREFIX.unpack_from(frame)
    header_version = _request_header_version(key, version)
    if header_version is None:
        raise UnsupportedVersion(key, version, correlation_id)
    if len(frame) > _USUAL_HEADER.size:
        *_, size = _USUAL_HEADER.unpack_from(frame)
        end = _USUAL_HEADER.size + size
        if 0 <= size < len(frame) - _USUAL_HEADER.size and (header_version == 1 or not frame[end]):
            # As nearly always: a client id, and no tagged fields.
            client_id = str(frame[_USUAL_HEADER.size : end], "utf-8", "replace")
            header = RequestHeader(
                request_api_key=key,
                request_api_version=version,
                correlation_id=correlation_id,
                client_id=client_id,
            )
            return header, end + header_version - 1
    return decode_prefix(RequestHeader, header_version, frame)


@lru_cache(512)
def _request_header_version(key: int, version: int) -> int | None:
    api = APIS.get(key)
    return None if api is None or not api.has_version(version) else api.request_header_version(version)


@lru_cache(512)
def _response_head(key: int, version: int) -> struct.Struct:
    """The size of a response and its header."""
    return _FLEXIBLE_ANSWER if APIS[key].response_header_version(version) else _ANSWER


def decode_request(frame: Buffer) -> Request:
    """The request in a frame (without its size). MalformedRequest when it is none."""
    header, at = decode_request_header(frame)
    cls = APIS[header.request_api_key].request
    message, end = decode_prefix(cls, header.request_api_version, frame, at)
    if end != len(frame):
        raise MalformedRequest(
            f"{cls.__name__} v{header.request_api_version} ends at byte {end}, but the frame has {len(frame)}"
        )
    return Request(
        api_key=header.request_api_key,
        api_version=header.request_api_version,
        correlation_id=header.correlation_id,
        client_id=header.client_id,
        message=message,
    )


def with_size(buffers: list[Buffer | FileSlice]) -> list[Buffer | FileSlice]:
    """The buffers behind four bytes that hold their total size."""
    return [struct.pack(">i", size_of_records(buffers)), *buffers]


def encode_request(
    api_key: int, version: int, correlation_id: int, client_id: str | None, message: Any
) -> list[Buffer | FileSlice]:
    """A whole frame, size included."""
    header = RequestHeader(
        request_api_key=api_key, request_api_version=version, correlation_id=correlation_id, client_id=client_id
    )
    return with_size(encode(header, APIS[api_key].request_header_version(version)) + encode(message, version))


def encode_response(api_key: int, version: int, correlation_id: int, message: Any) -> list[Buffer | FileSlice]:
    """A whole frame, size included."""
    frame = encode(message, version)
    header = _response_head(api_key, version)
    size = header.size - 4
    for part in frame:
        size += part.size if type(part) is FileSlice else len(part)
    frame.insert(0, header.pack(size, correlation_id))
    return frame


def decode_response(api_key: int, version: int, frame: Buffer) -> tuple[int, Any]:
    """(correlation id, message) of a frame without its size. MalformedRequest when it is none."""
    api = APIS[api_key]
    header, at = decode_prefix(ResponseHeader, api.response_header_version(version), frame)
    message, end = decode_prefix(api.response, version, frame, at)
    if end != len(frame):
        raise MalformedRequest(f"{api.name} v{version} ends at byte {end}, but the frame has {len(frame)}")
    return header.correlation_id, message
