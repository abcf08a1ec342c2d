"""Encoders and decoders, compiled for one (message, version) when first used.

    encode(message, version) -> buffers        decode(cls, version, buffer) -> message

The compiled functions are straight-line: nested structs are unrolled in place, neighbouring fields of fixed size are
read and written by one struct format. `print(source_of_decoder(ProduceRequest, 9))` shows one. Records are passed
through as slices of the buffer, uncopied. Reading past the end, a count that cannot fit, an invalid length raise
MalformedRequest; nothing is allocated on the word of a length that the buffer does not cover.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from operator import itemgetter
from typing import Any, TypeVar

from reference_broker.wire import decoder_source, encoder_source, primitives
from reference_broker.wire.primitives import Buffer, FileSlice, MalformedRequest, UnencodableResponse
from reference_broker.wire.schema import ALWAYS, is_in

M = TypeVar("M")
Decoder = Callable[[memoryview, int, int], tuple[Any, int]]
Encoder = Callable[[Any, list[Any], bytearray], None]


def read_tail_of_varint(buf: memoryview, at: int, low: int) -> tuple[int, int]:
    """Go on with an unsigned varint whose first byte, `low`, was above 127; `at` is just behind that byte."""
    value, shift = low & 0x7F, 7
    while shift < 35:
        byte = buf[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value > 0xFFFFFFFF:
                break
            return value, at
        shift += 7
    raise MalformedRequest(f"an unsigned varint before byte {at} is longer than 32 bits")


def malformed(what: str, at: int) -> MalformedRequest:
    """The error for a field, for the compiled code to raise."""
    return MalformedRequest(f"{what} at byte {at}")


def unencodable(what: str) -> UnencodableResponse:
    """The error for a field, for the compiled code to raise."""
    return UnencodableResponse(what)


def size_of_records(records: Any) -> int:
    """Bytes in a records field: one buffer or file slice, or a sequence of them."""
    size = 0
    for part in records if isinstance(records, (list, tuple)) else (records,):
        size += part.size if type(part) is FileSlice else len(part)
    return size


def write_tagged(out: bytearray, tags: list[tuple[int, Buffer]]) -> None:
    """Append tagged fields, in the order of their tags."""
    if len(tags) > 1:
        tags.sort(key=_tag)
    out += primitives.unsigned_varint(len(tags))
    for tag, data in tags:
        size = len(data)
        if tag < 128 and size < 128:
            out.append(tag)
            out.append(size)
        else:
            out += primitives.unsigned_varint(tag) + primitives.unsigned_varint(size)
        out += data


_tag = itemgetter(0)

NAMES = {
    "write_tagged": write_tagged,
    "MalformedRequest": MalformedRequest,
    "malformed": malformed,
    "unencodable": unencodable,
    "read_tail_of_varint": read_tail_of_varint,
    "unsigned_varint": primitives.unsigned_varint,
    "size_of_records": size_of_records,
    "unpack_from": struct.unpack_from,
    "pack": struct.pack,
}


def _compiled(source: str, constants: dict[str, Any], name: str) -> Any:
    scope = NAMES | constants
    exec(compile(source, name, "exec"), scope)
    return scope["run"]


def _compile_decoder(cls: Any, version: int) -> Decoder:
    if not _has_version(cls, version):
        raise MalformedRequest(f"{cls.__name__} has no version {version}")
    source, constants = decoder_source.build(cls, version)
    run: Decoder = _compiled(source, constants, f"<decoder of {cls.__name__} v{version}>")
    return run


def _compile_encoder(cls: Any, version: int) -> Encoder:
    if not _has_version(cls, version):
        raise UnencodableResponse(f"{cls.__name__} has no version {version}")
    source, constants = encoder_source.build(cls, version)
    run: Encoder = _compiled(source, constants, f"<encoder of {cls.__name__} v{version}>")
    return run


def _has_version(cls: Any, version: int) -> bool:
    """Whether a message has a version; a struct within a message has those of its message and is not asked."""
    return is_in(version, getattr(cls, "VALID", ALWAYS))


decoder: Callable[[Any, int], Decoder] = cache(_compile_decoder)
"""run(buf, at, end) -> (message, position after it); may raise struct.error and IndexError at the buffer's end."""

encoder: Callable[[Any, int], Encoder] = cache(_compile_encoder)
"""run(message, buffers, out) appends the message's buffers, the first of which begins with what is in `out`."""


def source_of_decoder(cls: Any, version: int) -> str:
    """The Python text that decodes this version, for a reader."""
    return decoder_source.build(cls, version)[0]


def source_of_encoder(cls: Any, version: int) -> str:
    """The Python text that encodes this version, for a reader."""
    return encoder_source.build(cls, version)[0]


def decode_prefix(cls: type[M], version: int, buf: Buffer, at: int = 0) -> tuple[M, int]:
    """(message, position after it) where more may follow. MalformedRequest when the bytes are no such message."""
    view = buf if isinstance(buf, memoryview) else memoryview(buf)
    try:
        return decoder(cls, version)(view, at, len(view))
    except (struct.error, IndexError):
        raise MalformedRequest(f"{cls.__name__} v{version} is cut off: {len(view)} bytes are too few") from None


def decode(cls: type[M], version: int, buf: Buffer) -> M:
    """The message that the whole buffer holds. MalformedRequest when it is none, or when bytes are left over."""
    message, end = decode_prefix(cls, version, buf)
    if end != len(buf):
        raise MalformedRequest(f"{cls.__name__} v{version} ends at byte {end}, but {len(buf)} bytes were sent")
    return message


def encode(message: Any, version: int, head: bytearray | None = None) -> list[Buffer | FileSlice]:
    """The message as a list of buffers, records uncopied. UnencodableResponse when the version cannot hold it.

    The message goes on behind what is in `head`, which is then the first of the buffers.
    """
    buffers: list[Buffer | FileSlice] = []
    try:
        encoder(type(message), version)(message, buffers, bytearray() if head is None else head)
    except (struct.error, AttributeError, TypeError, ValueError) as error:
        raise UnencodableResponse(f"{type(message).__name__} v{version}: {error}") from error
    return buffers


def encode_bytes(message: Any, version: int) -> bytes:
    """The message as one piece. TypeError when it holds a FileSlice."""
    return b"".join(encode(message, version))  # type: ignore[arg-type]
