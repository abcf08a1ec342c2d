"""Requests and responses with their headers, and the four bytes of size before them.

Source: Kafka protocol guide, "Common Request and Response Structure"; KIP-482 for header versions.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Any

from reference_broker.wire.api_keys import APIS
from reference_broker.wire.codec import decode_prefix, encode, size_of_records
from reference_broker.wire.messages.request_header import RequestHeader
from reference_broker.wire.messages.response_header import ResponseHeader
from reference_broker.wire.primitives import (
    MAX_STRING_BYTES,
    Buffer,
    FileSlice,
    Frozen,
    MalformedRequest,
    UnencodableResponse,
)

_PREFIX = struct.Struct(">hhi")
_USUAL_HEADER = struct.Struct(">hhih")
"""The same, and the length of the client id."""
_REQUEST = struct.Struct(">ihhi")
"""Size, and a request's header up to its client id."""
_SIZE = struct.Struct(">i")
_ANSWER = struct.Struct(">ii")
"""Size and correlation id; a flexible header ends with the number of its tagged fields, none."""
_FLEXIBLE_ANSWER = struct.Struct(">iix")


class Request(Frozen, frozen=True):
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


@lru_cache(1024)
def _client_id(client_id: str | None, is_flexible: bool) -> bytes:
    """The end of a request's header, without tagged fields."""
    try:
        raw = b"" if client_id is None else client_id.encode()
    except UnicodeEncodeError as error:
        raise UnencodableResponse(f"a client id cannot be written: {error}") from error
    if len(raw) > MAX_STRING_BYTES:
        raise UnencodableResponse(f"a client id of {len(raw)} bytes")
    size = -1 if client_id is None else len(raw)
    return struct.pack(">h", size) + raw + bytes(is_flexible)


def encode_request(
    api_key: int, version: int, correlation_id: int, client_id: str | None, message: Any
) -> list[Buffer | FileSlice]:
    """A whole frame, size included. UnencodableResponse when the version cannot hold the message."""
    head = bytearray(_REQUEST.pack(0, api_key, version, correlation_id))
    head += _client_id(client_id, APIS[api_key].request_header_version(version) > 1)
    buffers = encode(message, version, head)
    _SIZE.pack_into(head, 0, size_of_records(buffers) - _SIZE.size)
    return buffers


def encode_response(api_key: int, version: int, correlation_id: int, message: Any) -> list[Buffer | FileSlice]:
    """A whole frame, size included. UnencodableResponse when the version cannot hold the message."""
    head = bytearray(_response_head(api_key, version).pack(0, correlation_id))
    buffers = encode(message, version, head)
    size = -_SIZE.size
    for part in buffers:
        size += part.size if type(part) is FileSlice else len(part)
    _SIZE.pack_into(head, 0, size)
    return buffers


def decode_response(api_key: int, version: int, frame: Buffer) -> tuple[int, Any]:
    """(correlation id, message) of a frame without its size. MalformedRequest when it is none."""
    api = APIS[api_key]
    is_flexible = api.response_header_version(version)
    if len(frame) > _SIZE.size and not (is_flexible and frame[_SIZE.size]):
        # As nearly always: no tagged fields.
        (correlation_id,), at = _SIZE.unpack_from(frame), _SIZE.size + is_flexible
    else:
        header, at = decode_prefix(ResponseHeader, is_flexible, frame)
        correlation_id = header.correlation_id
    message, end = decode_prefix(api.response, version, frame, at)
    if end != len(frame):
        raise MalformedRequest(f"{api.name} v{version} ends at byte {end}, but the frame has {len(frame)}")
    return correlation_id, message
