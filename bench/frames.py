"""Request frames for the fuzz: a valid one for every API and version, and what a seed makes of them.

The valid ones name a topic and a group that are there, so that a mutated one gets further than the first check.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from reference_broker.wire.api_keys import APIS
from reference_broker.wire.compression import Compression
from reference_broker.wire.framing import encode_request
from reference_broker.wire.primitives import Uuid
from reference_broker.wire.records import Record, encode_batch
from reference_broker.wire.schema import Field, is_in

TOPIC = "fuzz"
GROUP = "fuzz-group"
VARIANTS = 3
"""Frames of each API and version."""
_SIZE = struct.Struct(">i")
_INTERESTING = (0, 1, -1, 2, 127, 128, 255, 256, 32767, -32768, 65535, 1 << 20, (1 << 31) - 1, -(1 << 31))
_HARMLESS = {"max_wait_ms": 20, "timeout_ms": 100, "rebalance_timeout_ms": 100, "num_partitions": 1, "count": 1}
"""Values that would make the fuzz wait, or fill the disk, when they were drawn large; a mutation may still do it."""


@dataclass(frozen=True, slots=True)
class Seeds:
    """Where valid frames come from: the id of the topic, and a source of chance."""

    topic_id: Uuid
    random: Random

    def frames(self) -> list[bytes]:
        """Frames without their size, in the order of their keys and versions."""
        made = []
        for key, api in sorted(APIS.items()):
            for version in range(api.valid[0], api.valid[1] + 1):
                for _ in range(VARIANTS):
                    message = self.instance(api.request, version)
                    made.append(frame_of(key, version, self.random.randrange(1 << 16), message))
        return made

    def instance(self, cls: Any, version: int) -> Any:
        """A message with plausible values in every field that the version has."""
        return cls(
            **{field.name: self._value(field, version) for field in cls.FIELDS if is_in(version, field.versions)}
        )

    def _value(self, field: Field, version: int) -> Any:
        if is_in(version, field.nullable) and self.random.random() < 0.2:
            return None
        if field.is_array:
            return tuple(self._one(field, version) for _ in range(self.random.choice((0, 1, 1, 1, 2))))
        return self._one(field, version)

    def _one(self, field: Field, version: int) -> Any:
        if field.kind == "struct":
            return self.instance(field.of, version)
        if field.name in _HARMLESS:
            return _HARMLESS[field.name]
        return _MAKERS[field.kind](self, field)

    def string(self, field: Field) -> str:
        """A name that is there where the field asks for one."""
        if field.entity == "topicName" or (field.entity == "" and field.name in ("topic", "resource_name")):
            return TOPIC
        if field.entity == "groupId" or field.name == "key":
            return GROUP
        return self.random.choice(("", "range", "consumer", "compression.type", "gzip", "x" * 40))

    def records(self, field: Field) -> bytes:
        """A batch, of any codec, with or without a producer."""
        is_idempotent = self.random.random() < 0.3
        rows = [Record(i, 1_700_000_000_000 + i, b"key", b"value" * 10, (("h", b"1"),)) for i in range(3)]
        return encode_batch(
            rows,
            compression=Compression(self.random.randrange(5)),
            producer_id=self.random.randrange(5) if is_idempotent else -1,
            producer_epoch=0 if is_idempotent else -1,
            base_sequence=0 if is_idempotent else -1,
        )

    def uuid(self, field: Field) -> bytes:
        """The topic's id, or nobody's."""
        return self.topic_id if self.random.random() < 0.7 else self.random.randbytes(16)

    def integer(self, field: Field) -> int:
        """What a client would mostly send."""
        return self.random.choice((0, 0, 1, -1, field.default if isinstance(field.default, int) else 0))


_MAKERS: dict[str, Callable[[Seeds, Field], Any]] = {
    **dict.fromkeys(("int8", "int16", "int32", "int64"), Seeds.integer),
    **dict.fromkeys(("uint16", "uint32"), lambda seeds, field: abs(seeds.integer(field))),
    "bool": lambda seeds, field: seeds.random.random() < 0.5,
    "float64": lambda seeds, field: float(seeds.random.choice((0, 1, -1))),
    "uuid": Seeds.uuid,
    "string": Seeds.string,
    "bytes": lambda seeds, field: seeds.random.randbytes(seeds.random.choice((0, 4, 30))),
    "records": Seeds.records,
}


def frame_of(key: int, version: int, correlation_id: int, message: Any) -> bytes:
    """A request's frame without its size."""
    parts = encode_request(key, version, correlation_id, "fuzz", message)
    return b"".join(parts)[_SIZE.size :]  # type: ignore[arg-type]


def with_size(frame: bytes) -> bytes:
    """The frame as it is sent."""
    return _SIZE.pack(len(frame)) + frame


def mutated(frame: bytes, donor: bytes, random: Random) -> bytes:
    """The frame after one to four changes; its key and version mostly survive, so that its body is read."""
    raw = bytearray(frame)
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 4))):
        first = 0 if random.random() < 0.05 else min(8, len(raw))
        at = random.randint(first, len(raw))
        random.choice(_CHANGES)(raw, at, donor, random)
    return bytes(raw)


def _flip_a_bit(raw: bytearray, at: int, donor: bytes, random: Random) -> None:
    if at < len(raw):
        raw[at] ^= 1 << random.randrange(8)


def _set_a_byte(raw: bytearray, at: int, donor: bytes, random: Random) -> None:
    if at < len(raw):
        raw[at] = random.choice((0, 1, 127, 128, 255, random.randrange(256)))


def _set_a_number(raw: bytearray, at: int, donor: bytes, random: Random) -> None:
    width = random.choice((2, 4, 4, 8))
    raw[at : at + width] = (random.choice(_INTERESTING) % (1 << 8 * width)).to_bytes(width, "big")


def _cut(raw: bytearray, at: int, donor: bytes, random: Random) -> None:
    del raw[at:]


def _remove(raw: bytearray, at: int, donor: bytes, random: Random) -> None:
    del raw[at : at + random.choice((1, 2, 4, 16))]


def _insert(raw: bytearray, at: int, donor: bytes, random: Random) -> None:
    raw[at:at] = random.randbytes(random.choice((1, 2, 4, 16)))


def _splice(raw: bytearray, at: int, donor: bytes, random: Random) -> None:
    start = random.randint(0, len(donor))
    raw[at:] = donor[start : start + 400]


def _repeat(raw: bytearray, at: int, donor: bytes, random: Random) -> None:
    raw[at:at] = raw[at : at + random.choice((4, 16, 64))]


_CHANGES = (
    *(_flip_a_bit, _flip_a_bit, _flip_a_bit, _set_a_byte, _set_a_byte, _set_a_byte, _set_a_number, _set_a_number),
    *(_cut, _remove, _insert, _splice, _repeat),
)
"""Mostly those that keep the frame's size: they are read further."""
