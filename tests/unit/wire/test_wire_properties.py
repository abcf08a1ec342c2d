"""Any message survives its encoding; any bytes are read or refused, never a crash."""

from __future__ import annotations

import gzip
import json
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reference_broker.wire.codec import decode, encode_bytes
from reference_broker.wire.generated_source import snake
from reference_broker.wire.primitives import MalformedRequest, UnencodableResponse
from reference_broker.wire.schema import Field, is_in

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "wire_vectors.jsonl.gz"
UNKNOWN_TAGS = st.integers(5000, 1 << 31)
PLAIN = {
    "bool": st.booleans(),
    "int8": st.integers(-(1 << 7), (1 << 7) - 1),
    "int16": st.integers(-(1 << 15), (1 << 15) - 1),
    "uint16": st.integers(0, (1 << 16) - 1),
    "int32": st.integers(-(1 << 31), (1 << 31) - 1),
    "uint32": st.integers(0, (1 << 32) - 1),
    "int64": st.integers(-(1 << 63), (1 << 63) - 1),
    "float64": st.floats(allow_nan=False),
    "uuid": st.binary(min_size=16, max_size=16),
    "string": st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.just("é" * 100),
    "bytes": st.binary(max_size=200),
    "records": st.binary(max_size=200),
}


@cache
def encodings() -> tuple[tuple[str, int, bytes], ...]:
    lines = gzip.decompress(VECTORS.read_bytes()).decode().splitlines()
    vectors = [json.loads(line) for line in lines]
    return tuple((vector["name"], vector["version"], bytes.fromhex(vector["hex"])) for vector in vectors)


def message_class(name: str) -> Any:
    return getattr(import_module(f"reference_broker.wire.messages.{snake(name)}"), name)


@cache
def values_of(field: Field, version: int) -> st.SearchStrategy[Any]:
    one = instances_of(field.of, version) if field.kind == "struct" else PLAIN[field.kind]
    values = st.lists(one, max_size=3).map(tuple) if field.is_array else one
    return st.none() | values if is_in(version, field.nullable) else values


@cache
def instances_of(cls: Any, version: int) -> st.SearchStrategy[Any]:
    fields = {f.name: values_of(f, version) for f in cls.FIELDS if is_in(version, f.versions)}
    if is_in(version, cls.FLEXIBLE):
        tags = st.dictionaries(UNKNOWN_TAGS, st.binary(max_size=20), max_size=2)
        fields["unknown_tagged_fields"] = tags.map(lambda found: tuple(sorted(found.items())))
    return st.builds(cls, **fields)


def outcome(name: str, version: int, raw: bytes) -> Any:
    """The message, or None where the bytes are refused; whatever else is raised fails the test."""
    try:
        return decode(message_class(name), version, raw)
    except MalformedRequest:
        return None


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_message_survives_its_encoding(data: st.DataObject) -> None:
    name, version = data.draw(st.sampled_from(encodings()).map(lambda encoding: encoding[:2]))
    message = data.draw(instances_of(message_class(name), version))
    assert decode(type(message), version, encode_bytes(message, version)) == message


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(encodings()), st.binary(max_size=300))
def test_arbitrary_bytes_are_read_or_refused(encoding: tuple[str, int, bytes], raw: bytes) -> None:
    name, version, _ = encoding
    message = outcome(name, version, raw)
    assert message is None or isinstance(message, message_class(name))


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(encodings()), st.data())
def test_a_changed_encoding_is_refused_or_survives_a_round_trip(
    encoding: tuple[str, int, bytes], data: st.DataObject
) -> None:
    name, version, whole = encoding
    raw = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=5))
    message = outcome(name, version, bytes(raw))
    written = b"" if message is None else encode_bytes(message, version)
    assert message is None or encode_bytes(decode(type(message), version, written), version) == written


def test_every_cut_of_an_encoding_is_refused() -> None:
    some = encodings()[::7]
    read = [
        (name, version, at) for name, version, raw in some for at in range(len(raw)) if outcome(name, version, raw[:at])
    ]
    assert not read


@pytest.mark.parametrize("count", [2, 1_000_000, 0x7FFFFFFF])
def test_an_array_longer_than_the_bytes_left_is_refused_before_anything_is_made(count: int) -> None:
    raw = count.to_bytes(4, "big") + b"\0"
    with pytest.raises(MalformedRequest, match="claims"):
        decode(message_class("MetadataRequest"), 0, raw)


def test_bytes_behind_a_message_are_refused() -> None:
    name, version, raw = encodings()[0]
    with pytest.raises(MalformedRequest):
        decode(message_class(name), version, raw + b"\0")


def test_a_field_that_the_version_lacks_may_not_hold_more_than_its_default() -> None:
    metadata = message_class("MetadataRequest")(topics=None, allow_auto_topic_creation=False)
    with pytest.raises(UnencodableResponse, match="allow_auto_topic_creation"):
        encode_bytes(metadata, 1)


def test_an_ignorable_field_that_the_version_lacks_is_left_out() -> None:
    request = message_class("JoinGroupRequest")(group_id="g", reason="only since version 8")
    assert decode(message_class("JoinGroupRequest"), 7, encode_bytes(request, 7)).reason is None


def test_a_version_that_the_schema_does_not_have_cannot_be_written() -> None:
    with pytest.raises(UnencodableResponse, match="version"):
        encode_bytes(message_class("ProduceRequest")(), 99)
