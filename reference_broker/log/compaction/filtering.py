"""What stays of a batch: all of it, some of its records, its header alone, or nothing."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from enum import Enum, auto
from typing import NamedTuple

from msgspec import Struct

from reference_broker.log.compaction.offset_map import OffsetMap
from reference_broker.log.compaction.record_columns import Columns, columns_of
from reference_broker.log.compaction.transactions import Transactions
from reference_broker.wire.compression import Compression, compress
from reference_broker.wire.primitives import Buffer
from reference_broker.wire.records import (
    COMPRESSION_MASK,
    DELETE_HORIZON,
    HEADER_SIZE,
    LENGTH_END,
    NO_TIMESTAMP,
    Batch,
    BatchHeader,
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


Kept = tuple[BatchHeader, Buffer] | None
"""What stays of a batch, with its header; None for nothing."""


def filtered(batch: Batch, rules: Rules, transactions: Transactions) -> Generator[int, None, Kept]:
    """What stays of a batch, worked out a part at a time: it tells how many records each has.

    Offsets, timestamps, headers and the last offset of the batch stay as they are, and so do its producer's sequences.
    MalformedRequest where its records cannot be read.
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
    kept: list[Columns] = []
    for columns in columns_of(payload, header.records_count):
        size = len(columns)
        if not header.is_control:
            _leave_out(columns, header, rules)
            needs_horizon |= not all(columns.has_values)
        kept.append(columns)
        yield size
    count = sum(map(len, kept))
    if not count:
        return _emptied(header) if when_empty is WhenEmpty.STAYS else None
    if needs_horizon and not header.attributes & DELETE_HORIZON:
        return (yield from _with_horizon(header, payload, kept, rules.now_ms + rules.delete_retention_ms))
    if count == header.records_count:
        return header, batch.data
    return _rewritten(
        header._replace(max_timestamp=_latest(header, kept), records_count=count),
        b"".join(columns.bytes_of(payload) for columns in kept),
    )


def _latest(header: BatchHeader, kept: Sequence[Columns]) -> int:
    """The largest timestamp of what stays."""
    if header.is_log_append_time:
        return header.max_timestamp
    return header.base_timestamp + max(max(columns.timestamp_deltas) for columns in kept if columns)


def _leave_out(columns: Columns, header: BatchHeader, rules: Rules) -> None:
    """The last record of a key stays, a tombstone until its horizon; so does what the map has not been told of."""
    first, latest = header.base_offset, rules.offsets.latest_offset
    is_past_horizon = _is_past_horizon(header, rules.now_ms)
    last_offsets = rules.offsets.last_offsets(columns.keys)
    wanted = [
        first + delta > latest or (key is not None and first + delta >= last and (has_value or not is_past_horizon))
        for key, delta, last, has_value in zip(
            columns.keys, columns.offset_deltas, last_offsets, columns.has_values, strict=True
        )
    ]
    if not all(wanted):
        columns.keep(wanted)


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


def _with_horizon(
    header: BatchHeader, payload: bytes, kept: Sequence[Columns], horizon_ms: int
) -> Generator[int, None, tuple[BatchHeader, Buffer]]:
    """The batch with a delete horizon, which stands in the place of the first timestamp: each is told from there."""
    parts = []
    for columns in kept:
        if header.is_log_append_time:
            columns.timestamp_deltas = [header.max_timestamp - header.base_timestamp] * len(columns)
        parts.append(columns.retimed(payload, horizon_ms - header.base_timestamp))
        yield len(columns)
    with_horizon = header._replace(
        attributes=header.attributes | DELETE_HORIZON,
        base_timestamp=horizon_ms,
        max_timestamp=_latest(header, kept),
        records_count=sum(map(len, kept)),
    )
    return _rewritten(with_horizon, b"".join(parts))


def _rewritten(header: BatchHeader, payload: bytes) -> tuple[BatchHeader, Buffer]:
    codec = header.compression
    packed = payload if codec is Compression.NONE else compress(codec, payload)
    header = header._replace(batch_length=HEADER_SIZE - LENGTH_END + len(packed))
    return header, with_header(header, packed)
