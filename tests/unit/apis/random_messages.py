"""Random messages of any class and version, from the schema."""

from __future__ import annotations

from random import Random
from typing import Any, Final

from reference_broker.wire.schema import Field, is_in

BITS: Final = {"int8": 8, "int16": 16, "int32": 32, "int64": 64}
TEXTS: Final = ("", "orders", "a b", "é", "x" * 200)


def random_message(random: Random, cls: Any, version: int) -> Any:
    """A message that this version can encode: some fields at their defaults, nulls, empty and longer arrays."""
    return cls(
        **{
            field.name: _value(random, field, version)
            for field in cls.FIELDS
            if is_in(version, field.versions) and random.random() < 0.9
        }
    )


def _value(random: Random, field: Field, version: int) -> Any:
    if is_in(version, field.nullable) and random.random() < 0.2:
        return None
    if field.is_array:
        return tuple(_scalar(random, field, version) for _ in range(random.randrange(4)))
    return _scalar(random, field, version)


def _scalar(random: Random, field: Field, version: int) -> Any:
    if field.kind == "struct":
        return random_message(random, field.of, version)
    if field.kind in BITS:
        bits = BITS[field.kind]
        return random.choice((-1, 0, 1, random.getrandbits(bits) - (1 << bits - 1)))
    if field.kind in ("uint16", "uint32"):
        return random.getrandbits(16)
    if field.kind == "string":
        return random.choice(TEXTS)
    if field.kind == "uuid":
        return random.choice((bytes(16), random.randbytes(16)))
    return {"bool": random.random() < 0.5, "float64": random.random()}.get(field.kind, b"bytes")
