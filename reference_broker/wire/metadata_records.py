"""The values of the metadata log's records: each an API message behind a frame version, its key and its version.

Source: KIP-631, "Metadata record format".
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any, Final

from reference_broker.wire.codec import decode_prefix, encode_bytes
from reference_broker.wire.primitives import MalformedRequest, read_unsigned_varint, unsigned_varint

FRAME_VERSION: Final = 1

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


def message_class(module: str) -> Any:
    """The message that a module of wire/messages is named after."""
    found = import_module(f"reference_broker.wire.messages.{module}")
    wanted = module.replace("_", "")
    return next(value for name, value in vars(found).items() if name.lower() == wanted)


@cache
def record_classes() -> dict[int, Any]:
    """API key -> record class, all records of the metadata log."""
    classes = [message_class(module) for module in RECORD_MODULES]
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
        raise MalformedRequest(f"a metadata record of frame version {frame} and key {key} is unknown")
    message, end = decode_prefix(record_classes()[key], version, value, at)
    if end != len(value):
        raise MalformedRequest(f"{len(value) - end} bytes behind a metadata record of key {key}")
    return message, version
