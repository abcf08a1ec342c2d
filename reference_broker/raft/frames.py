"""The metadata log's records as bytes: each an API message behind a frame version, its key and its version.

Source: KIP-631, "Metadata record format"; control records as in KIP-595, KIP-630 and KIP-853.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from functools import cache
from importlib import import_module
from typing import Any, Final

from reference_broker.wire.codec import decode_prefix, encode_bytes
from reference_broker.wire.primitives import MalformedRequest, read_unsigned_varint, unsigned_varint
from reference_broker.wire.records import Batch, Record, encode_batch

FRAME_VERSION: Final = 1
CONTROL_KEY: Final = struct.Struct(">hh")

VersionedRecord = tuple[Any, int]
"""A record message and the version it is written in."""

RECORD_MODULES: Final = (
    *("abort_transaction_record", "access_control_entry_record", "begin_transaction_record"),
    *("broker_registration_change_record", "clear_elr_record", "client_quota_record", "config_record"),
    *("delegation_token_record", "end_transaction_record", "feature_level_record", "fence_broker_record"),
    *("no_op_record", "partition_change_record", "partition_record", "producer_ids_record"),
    *("register_broker_record", "register_controller_record", "remove_access_control_entry_record"),
    *("remove_delegation_token_record", "remove_topic_record", "remove_user_scram_credential_record"),
    *("topic_record", "unfence_broker_record", "unregister_broker_record", "unregister_controller_record"),
    *("user_scram_credential_record", "zk_migration_state_record"),
)


class ControlType(IntEnum):
    """What a control record in the metadata log says."""

    LEADER_CHANGE = 2
    SNAPSHOT_HEADER = 3
    SNAPSHOT_FOOTER = 4
    KRAFT_VERSION = 5
    KRAFT_VOTERS = 6


CONTROL_MODULES: Final = {
    ControlType.LEADER_CHANGE: "leader_change_message",
    ControlType.SNAPSHOT_HEADER: "snapshot_header_record",
    ControlType.SNAPSHOT_FOOTER: "snapshot_footer_record",
    ControlType.KRAFT_VERSION: "k_raft_version_record",
    ControlType.KRAFT_VOTERS: "voters_record",
}


def _class_in(module: str) -> Any:
    found = import_module(f"reference_broker.wire.messages.{module}")
    wanted = "".join(part.capitalize() for part in module.split("_"))
    return next(value for name, value in vars(found).items() if name.lower() == wanted.lower())


@cache
def record_classes() -> dict[int, Any]:
    """API key -> record class, all records of the metadata log."""
    classes = [_class_in(module) for module in RECORD_MODULES]
    return {one.API_KEY: one for one in classes}


def encode_frame(record: VersionedRecord) -> bytes:
    """A record's value in the log."""
    message, version = record
    head = unsigned_varint(FRAME_VERSION) + unsigned_varint(message.API_KEY) + unsigned_varint(version)
    return head + encode_bytes(message, version)


def decode_frame(value: bytes) -> VersionedRecord:
    """A record from its value; MalformedRequest where the frame, key or version is unknown."""
    frame, at = read_unsigned_varint(value, 0)
    key, at = read_unsigned_varint(value, at)
    version, at = read_unsigned_varint(value, at)
    if frame != FRAME_VERSION or key not in record_classes():
        raise MalformedRequest(f"metadata record of frame version {frame} and key {key} is unknown")
    message, end = decode_prefix(record_classes()[key], version, value, at)
    if end != len(value):
        raise MalformedRequest(f"{len(value) - end} bytes behind a metadata record of key {key}")
    return message, version


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


def decode_records(batch: Batch) -> list[VersionedRecord]:
    """The metadata records of a data batch."""
    return [decode_frame(bytes(record.value or b"")) for record in batch.records()]


def decode_control(batch: Batch) -> Iterator[tuple[ControlType, Any]]:
    """The control records of a control batch; types that are not known are passed over."""
    for record in batch.records():
        _, kind = CONTROL_KEY.unpack_from(record.key or b"\0\0\xff\xff")
        if kind in CONTROL_MODULES:
            message, _ = decode_prefix(_class_in(CONTROL_MODULES[ControlType(kind)]), 0, bytes(record.value or b""), 0)
            yield ControlType(kind), message
