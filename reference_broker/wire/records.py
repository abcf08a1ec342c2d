"""Record batches (format v2) and what is in them; older formats are recognised so that they can be refused.

Source: Kafka documentation, "Message Format"; KIP-98 for v2, KIP-31 and KIP-32 for the older ones.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import crc32c

from reference_broker.wire.compression import Compression, compress, decompress
from reference_broker.wire.primitives import Buffer, Frozen, MalformedRequest, read_signed_varlong, signed_varint

HEADER: Final = struct.Struct(">qiibIhiqqqhii")
HEADER_SIZE: Final = HEADER.size  # 61
LENGTH_END: Final = 12
"""Bytes before what `batch_length` counts: the base offset and the length itself."""
MAGIC_AT: Final = 16
CRC_AT: Final = 17
CRC_FROM: Final = 21
"""The checksum covers everything from the attributes on, so offsets and leader epoch may be stamped without it."""
NO_TIMESTAMP: Final = -1
NO_PRODUCER_ID: Final = -1
NO_SEQUENCE: Final = -1
DECOMPRESSED_LIMIT: Final = 256 * 1024 * 1024

COMPRESSION_MASK: Final = 0x07
CODECS: Final = {codec.value: codec for codec in Compression}
LOG_APPEND_TIME: Final = 0x08
TRANSACTIONAL: Final = 0x10
CONTROL: Final = 0x20
DELETE_HORIZON: Final = 0x40


class BatchHeader(NamedTuple):
    """The 61 bytes before a batch's records, in the order of the wire."""

    base_offset: int
    batch_length: int
    partition_leader_epoch: int
    magic: int
    crc: int
    attributes: int
    last_offset_delta: int
    base_timestamp: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    records_count: int

    @property
    def size_in_bytes(self) -> int:
        """Header and records."""
        return self.batch_length + LENGTH_END

    @property
    def last_offset(self) -> int:
        """Offset of the last record, kept when compaction removes it."""
        return self.base_offset + self.last_offset_delta

    @property
    def next_offset(self) -> int:
        """The offset after the batch."""
        return self.base_offset + self.last_offset_delta + 1

    @property
    def compression(self) -> Compression:
        """How the records are compressed; MalformedRequest for a codec that does not exist."""
        codec = CODECS.get(self.attributes & COMPRESSION_MASK)
        if codec is None:
            raise MalformedRequest(f"{self.attributes & COMPRESSION_MASK} is no compression codec")
        return codec

    @property
    def is_log_append_time(self) -> bool:
        """Whether the broker's clock gave the timestamps."""
        return bool(self.attributes & LOG_APPEND_TIME)

    @property
    def is_transactional(self) -> bool:
        """Whether the batch belongs to a transaction."""
        return bool(self.attributes & TRANSACTIONAL)

    @property
    def is_control(self) -> bool:
        """Whether the batch holds a marker instead of users' records."""
        return bool(self.attributes & CONTROL)

    @property
    def has_producer_id(self) -> bool:
        """Whether an idempotent producer wrote it."""
        return self.producer_id > NO_PRODUCER_ID

    @property
    def last_sequence(self) -> int:
        """Sequence number of the last record; sequences wrap at 2^31."""
        if self.base_sequence == NO_SEQUENCE:
            return NO_SEQUENCE
        return (self.base_sequence + self.last_offset_delta) & 0x7FFFFFFF


class Record(NamedTuple):
    """One record with its absolute offset and timestamp (ms)."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


class Batch(Frozen, frozen=True):
    """A batch in a buffer: its parsed header and all its bytes."""

    header: BatchHeader
    data: memoryview

    def crc_is_valid(self) -> bool:
        """Whether the stored CRC-32C is that of the bytes."""
        return crc32c.crc32c(self.data[CRC_FROM:]) == self.header.crc

    def payload(self, limit: int = DECOMPRESSED_LIMIT) -> Buffer:
        """The records, decompressed; MalformedRequest when that is impossible or exceeds the limit (bytes)."""
        codec = self.header.compression
        raw = self.data[HEADER_SIZE:]
        return raw if codec is Compression.NONE else decompress(codec, raw, limit)

    def records(self) -> Iterator[Record]:
        """The records in order; MalformedRequest when the payload is not exactly `records_count` records."""
        header = self.header
        payload = bytes(self.payload())
        at = 0
        for _ in range(header.records_count):
            record, at = _read_record(payload, at, header)
            yield record
        if at != len(payload):
            raise MalformedRequest(f"{len(payload) - at} bytes follow the last of {header.records_count} records")


def parse_batch_header(buf: Buffer, at: int = 0) -> BatchHeader:
    """The header at a position. MalformedRequest when fewer bytes than a header are left, or the length is absurd."""
    if len(buf) - at < HEADER_SIZE:
        raise MalformedRequest(f"{len(buf) - at} bytes are no record batch: a header has {HEADER_SIZE}")
    header: BatchHeader = tuple.__new__(BatchHeader, HEADER.unpack_from(buf, at))
    if header.batch_length < HEADER_SIZE - LENGTH_END:
        raise MalformedRequest(f"a record batch claims a length of {header.batch_length}")
    return header


def iter_batches(buf: Buffer) -> Iterator[Batch]:
    """The whole batches of a buffer in order; a part of a batch at the end, as a fetch may return, is left out."""
    view = memoryview(buf)
    at, end = 0, len(view)
    while end - at >= HEADER_SIZE:
        header = parse_batch_header(view, at)
        size = header.batch_length + LENGTH_END
        if size > end - at:
            return
        yield Batch(header, view[at : at + size])
        at += size


def magic_of(buf: Buffer) -> int | None:
    """The format version of the first message in a buffer; None when it is too short to have one."""
    return buf[MAGIC_AT] if len(buf) > MAGIC_AT else None


def _read_record(payload: bytes, at: int, header: BatchHeader) -> tuple[Record, int]:
    size, at = read_signed_varlong(payload, at)
    end = at + size
    if size < 0 or end > len(payload):
        raise MalformedRequest(f"a record claims {size} bytes, {len(payload) - at} are left")
    at += 1  # attributes, unused
    timestamp_delta, at = read_signed_varlong(payload, at)
    offset_delta, at = read_signed_varlong(payload, at)
    key, at = _read_bytes(payload, at, end)
    value, at = _read_bytes(payload, at, end)
    count, at = read_signed_varlong(payload, at)
    if count < 0 or count * 2 > end - at:
        raise MalformedRequest(f"a record claims {count} headers")
    headers = []
    for _ in range(count):
        name, at = _read_bytes(payload, at, end)
        if name is None:
            raise MalformedRequest("a record header has no name")
        content, at = _read_bytes(payload, at, end)
        headers.append((name.decode("utf-8", "replace"), content))
    if at != end:
        raise MalformedRequest(f"a record of {size} bytes ends {end - at} bytes early")
    timestamp = header.max_timestamp if header.is_log_append_time else header.base_timestamp + timestamp_delta
    return Record(header.base_offset + offset_delta, timestamp, key, value, tuple(headers)), at


def _read_bytes(payload: bytes, at: int, end: int) -> tuple[bytes | None, int]:
    size, at = read_signed_varlong(payload, at)
    if size < 0:
        return None, at
    if size > end - at:
        raise MalformedRequest(f"a field of a record claims {size} bytes, {end - at} are left")
    return payload[at : at + size], at + size


def encode_record(offset_delta: int, timestamp_delta: int, record: Record) -> bytes:
    """One record, its length before it."""
    body = bytearray(b"\0")
    body += signed_varint(timestamp_delta)
    body += signed_varint(offset_delta)
    for part in (record.key, record.value):
        if part is None:
            body.append(1)
        else:
            body += signed_varint(len(part))
            body += part
    body += signed_varint(len(record.headers))
    for name, content in record.headers:
        raw = name.encode()
        body += signed_varint(len(raw))
        body += raw
        if content is None:
            body.append(1)
        else:
            body += signed_varint(len(content))
            body += content
    return signed_varint(len(body)) + bytes(body)


def encode_batch(
    records: Iterable[Record],
    *,
    base_offset: int = 0,
    compression: Compression = Compression.NONE,
    level: int | None = None,
    leader_epoch: int = -1,
    log_append_time_ms: int | None = None,
    producer_id: int = NO_PRODUCER_ID,
    producer_epoch: int = -1,
    base_sequence: int = NO_SEQUENCE,
    is_transactional: bool = False,
    is_control: bool = False,
) -> bytes:
    """A batch of at least one record. Offsets of the records count from `base_offset`; gaps stay."""
    kept = list(records)
    base_timestamp = kept[0].timestamp
    payload = b"".join(encode_record(r.offset - base_offset, r.timestamp - base_timestamp, r) for r in kept)
    attributes = int(compression) | (TRANSACTIONAL if is_transactional else 0) | (CONTROL if is_control else 0)
    max_timestamp = max(record.timestamp for record in kept)
    if log_append_time_ms is not None:
        attributes |= LOG_APPEND_TIME
        max_timestamp = log_append_time_ms
    payload = compress(compression, payload, level)
    header = BatchHeader(
        base_offset,
        HEADER_SIZE - LENGTH_END + len(payload),
        leader_epoch,
        2,
        0,
        attributes,
        kept[-1].offset - base_offset,
        base_timestamp,
        max_timestamp,
        producer_id,
        producer_epoch,
        base_sequence,
        len(kept),
    )
    return with_header(header, payload)


def with_header(header: BatchHeader, payload: Buffer) -> bytes:
    """The header, its checksum made anew, and the (compressed) records behind it."""
    head = bytearray(HEADER.pack(*header))
    crc = crc32c.crc32c(payload, crc32c.crc32c(memoryview(head)[CRC_FROM:]))
    head[CRC_AT:CRC_FROM] = crc.to_bytes(4, "big")
    return b"".join((head, payload))
