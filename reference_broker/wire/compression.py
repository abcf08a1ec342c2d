"""The record formats' compression codecs, with a bound on what may come out.

Source: Kafka documentation, "Record Batch"; KIP-110 (zstd), KIP-390 (levels). Snappy is written in the framing of
xerial's library, as Kafka does, and read with it or without.
"""

from __future__ import annotations

import struct
import zlib
from enum import IntEnum
from typing import Final

import cramjam
import lz4.frame
from cramjam import DecompressionError

from reference_broker.wire.primitives import Buffer, MalformedRequest

XERIAL_MAGIC: Final = b"\x82SNAPPY\0"
XERIAL_HEADER: Final = XERIAL_MAGIC + struct.pack(">ii", 1, 1)
XERIAL_BLOCK: Final = 32 * 1024
SNAPPY_LARGEST_RATIO: Final = 64
"""No element of the format stands for more than 64 bytes, so a larger claim is false and no room is made for it."""


class Compression(IntEnum):
    """The low three bits of a batch's attributes."""

    NONE = 0
    GZIP = 1
    SNAPPY = 2
    LZ4 = 3
    ZSTD = 4


def compress(codec: Compression, data: Buffer, level: int | None = None) -> bytes:
    """The data as Kafka's clients would send it; `level` counts for gzip, lz4 and zstd."""
    if codec is Compression.NONE:
        return bytes(data)
    if codec is Compression.GZIP:
        gzip = zlib.compressobj(-1 if level is None else level, zlib.DEFLATED, 31)
        return gzip.compress(data) + gzip.flush()
    if codec is Compression.LZ4:
        # Kafka reads no frame whose blocks depend on each other.
        packed: bytes = lz4.frame.compress(
            bytes(data), compression_level=0 if level is None else level, block_linked=False
        )
        return packed
    if codec is Compression.ZSTD:
        return bytes(cramjam.zstd.compress(bytes(data), level=3 if level is None else level))
    out = bytearray(XERIAL_HEADER)
    for start in range(0, len(data), XERIAL_BLOCK):
        block = bytes(cramjam.snappy.compress_raw(bytes(data[start : start + XERIAL_BLOCK])))
        out += struct.pack(">i", len(block)) + block
    return bytes(out)


def decompress(codec: Compression, data: Buffer, limit: int) -> bytes:
    """What was compressed. MalformedRequest when the data is broken, or when more than `limit` bytes would come out."""
    try:
        if codec is Compression.NONE:
            return bytes(data)
        if codec is Compression.GZIP:
            return _gunzip(data, limit)
        if codec is Compression.LZ4:
            return _unlz4(data, limit)
        if codec is Compression.ZSTD:
            return _unzstd(data, limit)
        return _unsnappy(bytes(data), limit)
    except (zlib.error, RuntimeError, OSError, EOFError, ValueError, struct.error, DecompressionError) as error:
        raise MalformedRequest(f"{codec.name.lower()} data cannot be decompressed: {error}") from error


def _bounded(out: bytearray, limit: int) -> None:
    if len(out) > limit:
        raise MalformedRequest(f"compressed records grow beyond {limit} bytes")


def _gunzip(data: Buffer, limit: int) -> bytes:
    out, rest = bytearray(), bytes(data)
    while rest:
        inflater = zlib.decompressobj(31)
        out += inflater.decompress(rest, limit - len(out) + 1)
        _bounded(out, limit)
        if not inflater.eof:
            raise MalformedRequest("gzip data is cut off")
        rest = inflater.unused_data
    return bytes(out)


def _unlz4(data: Buffer, limit: int) -> bytes:
    out, rest = bytearray(), bytes(data)
    while rest:
        inflater = lz4.frame.LZ4FrameDecompressor()
        out += inflater.decompress(rest, limit - len(out) + 1)
        _bounded(out, limit)
        if not inflater.eof:
            raise MalformedRequest("lz4 data is cut off")
        rest = inflater.unused_data or b""
    return bytes(out)


def _unzstd(data: Buffer, limit: int) -> bytes:
    """Frames with or without a content size, into a room that grows no further than the limit."""
    raw = bytes(data)
    room = min(limit, max(64 * 1024, 8 * len(raw)))
    while True:
        out = bytearray(room)
        try:
            size = cramjam.zstd.decompress_into(raw, out)
        except DecompressionError as error:
            if "write whole buffer" not in str(error):
                raise
            if room == limit:
                raise MalformedRequest(f"compressed records grow beyond {limit} bytes") from error
            room = min(limit, 4 * room)
            continue
        return bytes(out[:size])


def _unsnappy(data: bytes, limit: int) -> bytes:
    if not data.startswith(XERIAL_MAGIC):
        return _unsnappy_block(data, limit)
    out, at = bytearray(), len(XERIAL_HEADER)
    while at < len(data):
        (size,) = struct.unpack_from(">i", data, at)
        at += 4
        if size < 0 or size > len(data) - at:
            raise MalformedRequest(f"a snappy block claims {size} bytes, {len(data) - at} are left")
        out += _unsnappy_block(data[at : at + size], limit - len(out))
        at += size
    return bytes(out)


def _unsnappy_block(block: bytes, limit: int) -> bytes:
    claimed = cramjam.snappy.decompress_raw_len(block)
    if claimed > SNAPPY_LARGEST_RATIO * len(block):
        raise MalformedRequest(f"a snappy block of {len(block)} bytes claims to hold {claimed}")
    if claimed > limit:
        raise MalformedRequest(f"compressed records grow beyond {limit} bytes")
    return bytes(cramjam.snappy.decompress_raw(block))
