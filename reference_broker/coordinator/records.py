"""A coordinator's records as bytes: the type before the key, the version before the value (both int16)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reference_broker.coordinator.shard import CoordinatorRecord
from reference_broker.wire.codec import decode, encode_bytes
from reference_broker.wire.primitives import MalformedRequest

PREFIX_SIZE = 2
KEY_VERSION = 0

RecordTypes = Mapping[int, tuple[Any, Any]]
"""Type number -> (key class, value class)."""


def encode_record(record: CoordinatorRecord) -> tuple[bytes, bytes | None]:
    """(key, value) as they stand in the log."""
    key = record.key.API_KEY.to_bytes(PREFIX_SIZE, "big") + encode_bytes(record.key, KEY_VERSION)
    if record.value is None:
        return key, None
    return key, record.version.to_bytes(PREFIX_SIZE, "big") + encode_bytes(record.value, record.version)


def decode_record(key: bytes | None, value: bytes | None, types: RecordTypes) -> CoordinatorRecord | None:
    """A record of the log; None for a type that is not known, which is left alone as Kafka leaves it."""
    if key is None or len(key) < PREFIX_SIZE:
        raise MalformedRequest("a coordinator's record has no key")
    classes = types.get(int.from_bytes(key[:PREFIX_SIZE], "big", signed=True))
    if classes is None:
        return None
    key_class, value_class = classes
    decoded_key = decode(key_class, KEY_VERSION, key[PREFIX_SIZE:])
    if value is None:
        return CoordinatorRecord(decoded_key)
    version = int.from_bytes(value[:PREFIX_SIZE], "big", signed=True)
    return CoordinatorRecord(decoded_key, decode(value_class, version, value[PREFIX_SIZE:]), version)
