"""Parses the records of a Produce request, and finds errors in them that do not depend on the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from reference_broker.wire.compression import Compression
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import MalformedRequest
from reference_broker.wire.records import (
    DELETE_HORIZON,
    HEADER_SIZE,
    LOG_APPEND_TIME,
    MAGIC_AT,
    Batch,
    Record,
    parse_batch_header,
)

ZSTD_SINCE: Final = 7
"""First Produce version that allows zstd (KIP-110)."""
UNKNOWN_TIME: Final = -7
"""Stands for a record timestamp that the model does not know."""
UNREADABLE: Final = frozenset({ErrorCode.INVALID_RECORD, ErrorCode.CORRUPT_MESSAGE})
"""Error codes for bytes that are no valid batch; which one Kafka answers depends on where it finds the error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A batch as it was sent by a producer."""

    records: tuple[Record, ...] = ()
    """With offsets from 0. Empty if the bytes cannot be parsed."""
    size: int = 0
    """In bytes."""
    compression: int = 0
    producer_id: int = -1
    producer_epoch: int = -1
    base_sequence: int = -1
    is_transactional: bool = False
    faults: frozenset[int] = frozenset()
    """Error codes with which the batch may be refused; empty for a valid batch."""
    is_doubtful: bool = False
    """Whether Kafka may accept or refuse the batch: it has an error that Kafka may correct or not check."""


def written(data: Any, version: int) -> Written:
    """Parses the records field of a Produce request of this version."""
    view = memoryview(b"" if data is None else data)
    if len(view) < HEADER_SIZE:
        return Written(size=len(view), faults=UNREADABLE)
    try:
        header = parse_batch_header(view)
    except MalformedRequest:
        return Written(size=len(view), faults=UNREADABLE)
    size = header.size_in_bytes
    transactional = header.is_transactional
    if view[MAGIC_AT] != 2 or size > len(view):
        return Written(size=len(view), faults=UNREADABLE, is_transactional=transactional)
    # A producer cannot set LogAppendTime: with message.timestamp.type=CreateTime the records' own timestamps count.
    batch = Batch(header._replace(attributes=header.attributes & ~LOG_APPEND_TIME), view[:size])
    try:
        records = tuple(record._replace(offset=index) for index, record in enumerate(batch.records()))
    except (MalformedRequest, ValueError):
        faults = UNREADABLE | {ErrorCode.UNKNOWN_SERVER_ERROR, ErrorCode.UNSUPPORTED_COMPRESSION_TYPE}
        return Written(size=size, faults=faults, is_transactional=transactional)
    if header.is_log_append_time:  # which timestamp a consumer sees depends on whether the broker rewrites the batch
        records = tuple(record._replace(timestamp=UNKNOWN_TIME) for record in records)
    codes: set[int] = set()
    if not batch.crc_is_valid():
        codes |= {ErrorCode.CORRUPT_MESSAGE}
    is_uncounted = not records or header.records_count != header.last_offset_delta + 1
    if is_uncounted or header.is_control or header.base_offset or (header.has_producer_id and header.base_sequence < 0):
        codes |= {ErrorCode.INVALID_RECORD}
    if header.compression is Compression.ZSTD and version < ZSTD_SINCE:
        codes |= {ErrorCode.UNSUPPORTED_COMPRESSION_TYPE}
    rest = len(view) - size
    if rest >= HEADER_SIZE:
        codes |= {ErrorCode.INVALID_RECORD}
    latest = max((record.timestamp for record in records), default=-1)
    return Written(
        records=records,
        size=size,
        compression=int(header.compression),
        producer_id=header.producer_id,
        producer_epoch=header.producer_epoch,
        base_sequence=header.base_sequence,
        is_transactional=transactional,
        faults=frozenset(codes),
        is_doubtful=not codes
        and (
            rest > 0 or bool(header.attributes & (DELETE_HORIZON | LOG_APPEND_TIME)) or header.max_timestamp != latest
        ),
    )
