"""The protocol's primitive types, their limits, and the two ways in which bytes can be wrong.

Source: Kafka protocol guide, "Protocol Primitive Types"; KIP-482 for compact types and tagged fields.
"""

from __future__ import annotations

import base64
from typing import Final, NewType

from msgspec import Struct

Buffer = bytes | bytearray | memoryview

TopicName = NewType("TopicName", str)
GroupId = NewType("GroupId", str)
TransactionalId = NewType("TransactionalId", str)
ProducerId = NewType("ProducerId", int)
BrokerId = NewType("BrokerId", int)
Uuid = NewType("Uuid", bytes)
"""16 bytes, most significant first."""

ZERO_UUID: Final = Uuid(bytes(16))
MAX_STRING_BYTES: Final = 0x7FFF


class MalformedRequest(Exception):
    """Bytes from a peer that are not what they claim to be. The peer is at fault: the connection closes."""


class UnencodableResponse(Exception):
    """A message that cannot be written in the version asked for. We are at fault."""


class Frozen(Struct, frozen=True):
    """The base of structs in modules that `make compiled` compiles: mypyc passes no keywords on, a base's do count."""


class FileSlice(Struct, frozen=True):
    """A part of an open file that a socket can send without its bytes passing through the process."""

    descriptor: int
    position: int
    size: int

    def __len__(self) -> int:
        return self.size


def uuid_text(uuid: Uuid) -> str:
    """The 22 characters that Kafka prints for a uuid: URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(uuid).rstrip(b"=").decode("ascii")


def parse_uuid(text: str) -> Uuid:
    """The uuid of Kafka's text form; ValueError when the text is none."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise ValueError(f"{text!r} is not a uuid in URL-safe base64") from error
    if len(raw) != 16:
        raise ValueError(f"{text!r} holds {len(raw)} bytes, a uuid has 16")
    return Uuid(raw)


_ONE_BYTE: Final = tuple(bytes((value,)) for value in range(0x80))


def unsigned_varint(value: int) -> bytes:
    """Little groups of seven bits, the last without its high bit."""
    if value < 0x80:
        if value < 0:
            raise UnencodableResponse(f"{value} cannot be written as an unsigned varint")
        return _ONE_BYTE[value]
    out = bytearray()
    while value > 0x7F:
        out.append((value & 0x7F) | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed_varint(value: int) -> bytes:
    """Zigzag, then as an unsigned varint: for the varint and varlong of records."""
    return unsigned_varint((value << 1) ^ (value >> 63) if value < 0 else value << 1)


def read_unsigned_varint(buf: Buffer, at: int) -> tuple[int, int]:
    """(value, position after it); at most five bytes and 32 bits."""
    value = shift = 0
    while True:
        try:
            byte = buf[at]
        except IndexError:
            raise MalformedRequest(f"an unsigned varint is cut off at byte {at}") from None
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value > 0xFFFFFFFF:
                raise MalformedRequest(f"an unsigned varint before byte {at} needs more than 32 bits")
            return value, at
        shift += 7
        if shift > 28:
            raise MalformedRequest(f"an unsigned varint before byte {at} is longer than five bytes")


def read_signed_varlong(buf: Buffer, at: int) -> tuple[int, int]:
    """(value, position after it) of a zigzag varlong; at most ten bytes."""
    if at < len(buf) and (byte := buf[at]) < 0x80:
        return (byte >> 1) ^ -(byte & 1), at + 1
    value = shift = 0
    while True:
        try:
            byte = buf[at]
        except IndexError:
            raise MalformedRequest(f"a varint is cut off at byte {at}") from None
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> 64:
                raise MalformedRequest(f"a varint before byte {at} needs more than 64 bits")
            return (value >> 1) ^ -(value & 1), at
        shift += 7
        if shift > 63:
            raise MalformedRequest(f"a varint before byte {at} is longer than ten bytes")
