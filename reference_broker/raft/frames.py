"""Batches of the metadata log as bytes: of records, and of control records (KIP-595, KIP-630, KIP-853)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from reference_broker.wire.codec import decode_prefix, encode_bytes
from reference_broker.wire.metadata_records import VersionedRecord, decode_frame, encode_frame, message_class
from reference_broker.wire.primitives import MalformedRequest
from reference_broker.wire.records import Batch, Record, encode_batch

CONTROL_KEY: Final = struct.Struct(">hh")


class ControlType(IntEnum):
    """What a control record in the metadata log says."""

    LEADER_CHANGE = 2
    SNAPSHOT_HEADER = 3
    SNAPSHOT_FOOTER = 4
    KRAFT_VERSION = 5
    KRAFT_VOTERS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class CommittedBatch:
    """A batch of the metadata log that is committed, decoded. A control batch has no `records`."""

    base_offset: int
    last_offset: int
    epoch: int
    timestamp_ms: int
    size_in_bytes: int
    records: tuple[VersionedRecord, ...]


CONTROL_MODULES: Final = {
    ControlType.LEADER_CHANGE: "leader_change_message",
    ControlType.SNAPSHOT_HEADER: "snapshot_header_record",
    ControlType.SNAPSHOT_FOOTER: "snapshot_footer_record",
    ControlType.KRAFT_VERSION: "k_raft_version_record",
    ControlType.KRAFT_VOTERS: "voters_record",
}


def encode_records(records: Iterable[VersionedRecord], *, base_offset: int, epoch: int, now_ms: int) -> bytes:
    """One batch of metadata records."""
    return encode_batch(
        [Record(base_offset + index, now_ms, None, encode_frame(record), ()) for index, record in enumerate(records)],
        base_offset=base_offset,
        leader_epoch=epoch,
    )


def encode_control(messages: Sequence[tuple[ControlType, Any]], *, base_offset: int, epoch: int, now_ms: int) -> bytes:
    """One control batch."""
    return encode_batch(
        [
            Record(base_offset + index, now_ms, CONTROL_KEY.pack(0, kind), encode_bytes(message, 0), ())
            for index, (kind, message) in enumerate(messages)
        ],
        base_offset=base_offset,
        leader_epoch=epoch,
        is_control=True,
    )


def decode_records(batch: Batch) -> Iterator[VersionedRecord]:
    """The metadata records of a data batch, one by one."""
    return (decode_frame(bytes(record.value or b"")) for record in batch.records())


def decode_control(batch: Batch) -> Iterator[tuple[ControlType, Any]]:
    """The control records of a control batch; types that are not known are passed over."""
    for record in batch.records():
        _, kind = CONTROL_KEY.unpack_from(record.key or b"\0\0\xff\xff")
        if kind in CONTROL_MODULES:
            message, _ = decode_prefix(
                message_class(CONTROL_MODULES[ControlType(kind)]), 0, bytes(record.value or b""), 0
            )
            yield ControlType(kind), message


def check_follows(batch: Batch, end_offset: int, last_epoch: int, leader_epoch: int | None = None) -> None:
    """MalformedRequest unless a leader's batch may be appended to a log that ends so.

    `leader_epoch` None leaves open in which epoch its sender leads.
    """
    header = batch.header
    epoch = header.partition_leader_epoch
    wrong = None
    if header.magic != 2:
        wrong = f"has the format {header.magic}, not 2"
    elif not batch.crc_is_valid():
        wrong = "does not match its CRC"
    elif header.base_offset != end_offset:
        wrong = f"does not follow the log, which ends at {end_offset}"
    elif header.last_offset_delta < 0:
        wrong = f"claims the last offset {header.last_offset}"
    elif epoch < last_epoch:
        wrong = f"is of epoch {epoch}, after one of epoch {last_epoch}"
    elif leader_epoch is not None and epoch > leader_epoch:
        wrong = f"is of epoch {epoch}, which its sender does not lead: that is {leader_epoch}"
    if wrong is not None:
        raise MalformedRequest(f"the metadata batch at offset {header.base_offset} {wrong}")
