"""What stays of a batch: all of it, some of its records, its header alone, or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import NamedTuple

from msgspec import Struct

from reference_broker.log.compaction.offset_map import OffsetMap
from reference_broker.log.compaction.transactions import Transactions
from reference_broker.wire.compression import Compression, compress
from reference_broker.wire.primitives import Buffer, MalformedRequest, read_signed_varlong
from reference_broker.wire.records import (
    COMPRESSION_MASK,
    DELETE_HORIZON,
    HEADER_SIZE,
    LENGTH_END,
    NO_TIMESTAMP,
    Batch,
    BatchHeader,
    encode_record,
    with_header,
)


class LastRecord(NamedTuple):
    """The last that the log has of a producer: the offset of its last data, None where that is only a marker."""

    data_offset: int | None
    epoch: int


class WhenEmpty(Enum):
    """What happens to a batch of which no record stays."""

    GOES = auto()
    STAYS = auto()


class Span(NamedTuple):
    """One record in a payload: where it stands, and what compaction looks at."""

    start: int
    stop: int
    offset_delta: int
    timestamp_delta: int
    key: bytes | None
    has_value: bool


class Rules(Struct, frozen=True, kw_only=True):
    """What counts for every batch of one round.

    `end_offset` is the end of what the round may touch: its last batch stays, so that the log's offsets go on from
    there. `last_records` are those of the producers that the log knows: their sequences and epochs have to stay.
    """

    offsets: OffsetMap
    now_ms: int
    delete_retention_ms: int
    end_offset: int
    last_records: Mapping[int, LastRecord]


def filtered(batch: Batch, rules: Rules, transactions: Transactions) -> tuple[BatchHeader, Buffer] | None:
    """What stays of a batch, with its header; None for nothing. MalformedRequest where its records cannot be read.

    Offsets, timestamps, headers and the last offset of the batch stay as they are, and so do its producer's sequences.
    """
    header = batch.header
    if header.is_control:
        is_unneeded = transactions.is_unneeded(batch)
        goes = is_unneeded and _is_past_horizon(header, rules.now_ms)
        needs_horizon = is_unneeded and not goes
    else:
        goes, needs_horizon = transactions.is_aborted(header), False
    when_empty = _when_empty(header, rules)
    if goes:
        return _emptied(header) if when_empty is WhenEmpty.STAYS else None
    payload = bytes(batch.payload())
    spans = list(spans_of(payload, header.records_count))
    kept = spans if header.is_control else [span for span in spans if _stays(span, header, rules)]
    if not kept:
        return _emptied(header) if when_empty is WhenEmpty.STAYS else None
    needs_horizon |= not header.is_control and not all(span.has_value for span in kept)
    if needs_horizon and not header.attributes & DELETE_HORIZON:
        return _with_horizon(batch, {span.offset_delta for span in kept}, rules.now_ms + rules.delete_retention_ms)
    if len(kept) == len(spans):
        return header, batch.data
    latest = header.max_timestamp
    if not header.is_log_append_time:
        latest = header.base_timestamp + max(span.timestamp_delta for span in kept)
    return _rewritten(
        header._replace(max_timestamp=latest, records_count=len(kept)),
        b"".join(payload[span.start : span.stop] for span in kept),
    )


def spans_of(payload: bytes, count: int) -> Iterator[Span]:
    """The records of a payload. MalformedRequest where they do not fill it."""
    at = 0
    for _ in range(count):
        start = at
        size, at = read_signed_varlong(payload, at)
        stop = at + size
        if size < 0 or stop > len(payload):
            raise MalformedRequest(f"a record claims {size} bytes, {len(payload) - at} are left")
        timestamp_delta, at = read_signed_varlong(payload, at + 1)  # a byte of attributes, unused, stands before it
        offset_delta, at = read_signed_varlong(payload, at)
        key_size, at = read_signed_varlong(payload, at)
        key = None
        if key_size >= 0:
            key = payload[at : at + key_size]
            at += key_size
        if at >= stop:
            raise MalformedRequest(f"the key of a record of {size} bytes claims {key_size}")
        value_size, _ = read_signed_varlong(payload, at)
        yield Span(start, stop, offset_delta, timestamp_delta, key, value_size >= 0)
        at = stop
    if at != len(payload):
        raise MalformedRequest(f"{len(payload) - at} bytes follow the last of {count} records")


def _stays(span: Span, header: BatchHeader, rules: Rules) -> bool:
    """The last record of a key stays, a tombstone until its horizon; so does what the map has not been told of."""
    offset = header.base_offset + span.offset_delta
    if offset > rules.offsets.latest_offset:
        return True
    if span.key is None or offset < rules.offsets.get(span.key):
        return False
    return span.has_value or not _is_past_horizon(header, rules.now_ms)


def _is_past_horizon(header: BatchHeader, now_ms: int) -> bool:
    """Whether readers had delete.retention.ms to see the batch's tombstones, or its marker (KIP-534)."""
    return bool(header.attributes & DELETE_HORIZON) and header.base_timestamp <= now_ms


def _when_empty(header: BatchHeader, rules: Rules) -> WhenEmpty:
    if header.next_offset == rules.end_offset:
        return WhenEmpty.STAYS
    last = rules.last_records.get(header.producer_id) if header.has_producer_id else None
    if last is None:
        return WhenEmpty.GOES
    if last.data_offset is not None:
        return WhenEmpty.STAYS if header.last_offset == last.data_offset else WhenEmpty.GOES
    return WhenEmpty.STAYS if header.is_control and header.producer_epoch == last.epoch else WhenEmpty.GOES


def _emptied(header: BatchHeader) -> tuple[BatchHeader, Buffer]:
    attributes = header.attributes & ~(COMPRESSION_MASK | DELETE_HORIZON)
    bare = header._replace(attributes=attributes, base_timestamp=NO_TIMESTAMP, records_count=0)
    return _rewritten(bare, b"")


def _with_horizon(batch: Batch, kept: set[int], horizon_ms: int) -> tuple[BatchHeader, Buffer]:
    """The batch with a delete horizon, which stands in the place of the first timestamp: each is told from there."""
    header = batch.header
    records = [record for record in batch.records() if record.offset - header.base_offset in kept]
    payload = b"".join(
        encode_record(record.offset - header.base_offset, record.timestamp - horizon_ms, record) for record in records
    )
    with_horizon = header._replace(
        attributes=header.attributes | DELETE_HORIZON,
        base_timestamp=horizon_ms,
        max_timestamp=header.max_timestamp
        if header.is_log_append_time
        else max(record.timestamp for record in records),
        records_count=len(records),
    )
    return _rewritten(with_horizon, payload)


def _rewritten(header: BatchHeader, payload: bytes) -> tuple[BatchHeader, Buffer]:
    codec = header.compression
    packed = payload if codec is Compression.NONE else compress(codec, payload)
    header = header._replace(batch_length=HEADER_SIZE - LENGTH_END + len(packed))
    return header, with_header(header, packed)
