"""Encodes written batches, valid or damaged. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from harness.search.lockstep.actions import WrittenBatch
from reference_broker.wire.records import (
    HEADER_SIZE,
    BatchHeader,
    Record,
    encode_batch,
    parse_batch_header,
    with_header,
)


def _with(change: Callable[[BatchHeader], BatchHeader]) -> Callable[[bytes], bytes]:
    """A damage that changes the header and corrects the CRC."""
    return lambda data: with_header(change(parse_batch_header(data)), data[HEADER_SIZE:])


DAMAGES: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "": lambda data: data,
    "checksum": lambda data: data[:-1] + bytes([data[-1] ^ 0xFF]),
    "cut short": lambda data: data[:-3],
    "no records": lambda data: b"",
    "bytes behind": lambda data: data + b"\0\0\0",
    "twice": lambda data: data + data,
    "old format": _with(lambda header: header._replace(magic=1)),
    "format of the future": _with(lambda header: header._replace(magic=3)),
    "one record too many counted": _with(lambda header: header._replace(records_count=header.records_count + 1)),
    "one record too few counted": _with(lambda header: header._replace(records_count=header.records_count - 1)),
    "negative count": _with(lambda header: header._replace(records_count=-1)),
    "last offset too high": _with(lambda header: header._replace(last_offset_delta=header.last_offset_delta + 1)),
    "last offset too low": _with(lambda header: header._replace(last_offset_delta=header.last_offset_delta - 1)),
    "length too small": _with(lambda header: header._replace(batch_length=header.batch_length - 1)),
    "length too large": _with(lambda header: header._replace(batch_length=header.batch_length + 1)),
    "length of nothing": _with(lambda header: header._replace(batch_length=0)),
    "unknown codec": _with(lambda header: header._replace(attributes=header.attributes | 0x05)),
    "delete horizon": _with(lambda header: header._replace(attributes=header.attributes | 0x40)),
    "largest timestamp wrong": _with(lambda header: header._replace(max_timestamp=header.max_timestamp + 5)),
    "leader epoch of its own": _with(lambda header: header._replace(partition_leader_epoch=7)),
}
"""Name of a damage → function from valid bytes to damaged ones."""


def bytes_of(batch: WrittenBatch, producer_id: int) -> bytes:
    """The encoded batch, with its damage."""
    records = [
        Record(
            batch.base_offset + index,
            batch.timestamp + index,
            None if batch.key is None else batch.key.encode(),
            None if value is None else value.encode(),
        )
        for index, value in enumerate(batch.values)
    ]
    data = encode_batch(
        records,
        base_offset=batch.base_offset,
        compression=batch.compression,
        log_append_time_ms=batch.timestamp if batch.log_append_time else None,
        producer_id=producer_id,
        producer_epoch=batch.producer_epoch,
        base_sequence=batch.base_sequence,
        is_transactional=batch.is_transactional,
        is_control=batch.is_control,
    )
    return DAMAGES[batch.damage](data)
