"""What Kafka's own serialisers wrote, we read as Kafka does and write back, byte for byte."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from reference_broker.wire.codec import decode, encode_bytes
from reference_broker.wire.generated_source import snake
from reference_broker.wire.primitives import uuid_text
from reference_broker.wire.schema import Field, is_in

ROOT = Path(__file__).resolve().parents[3]
OWN = ROOT / "tests" / "vectors" / "wire_vectors.jsonl.gz"
SHARED = ROOT.parent / "shared" / "spec" / "vectors" / "wire_vectors.jsonl"


def message_class(name: str) -> Any:
    return getattr(import_module(f"reference_broker.wire.messages.{snake(name)}"), name)


def own_vectors() -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(OWN.read_bytes()).decode().splitlines()]


def shared_vectors() -> list[dict[str, Any]]:
    if not SHARED.is_file():
        pytest.skip("the shared vectors are not beside this checkout; the project's own stand in tests/vectors")
    return [json.loads(line) for line in SHARED.read_text(encoding="utf-8").splitlines()]


def label(vector: dict[str, Any]) -> str:
    return f"{vector['name']} v{vector['version']} {vector['variant']}"


def not_round_tripping(vectors: list[dict[str, Any]]) -> list[str]:
    wrong = []
    for vector in vectors:
        raw = bytes.fromhex(vector["hex"])
        message = decode(message_class(vector["name"]), vector["version"], raw)
        if encode_bytes(message, vector["version"]) != raw:
            wrong.append(label(vector))
    return wrong


def as_kafkas_json(field: Field, value: Any, version: int) -> Any:
    if value is None:
        return None
    if field.is_array:
        return [as_kafkas_json(field._replace(is_array=False), item, version) for item in value]
    if field.kind == "struct":
        return message_as_json(value, version)
    if field.kind == "uuid":
        return uuid_text(value)
    if field.kind == "bytes":
        return base64.b64encode(value).decode()
    return value


def message_as_json(message: Any, version: int) -> dict[str, Any]:
    """The message in the form of Kafka's JSON converters, its keys in snake_case, without records."""
    content = {}
    for field in message.FIELDS:
        value = getattr(message, field.name)
        is_left_out = is_in(version, field.tagged) and value == field.default
        if is_in(version, field.versions) and field.kind != "records" and not is_left_out:
            content[field.name] = as_kafkas_json(field, value, version)
    return content


RECORDS_KEYS = {"records", "recordsSizeInBytes", "unalignedRecords", "unalignedRecordsSizeInBytes"}


def with_snake_keys(node: Any) -> Any:
    """Kafka's JSON with our field names, without records."""
    if isinstance(node, list):
        return [with_snake_keys(item) for item in node]
    if isinstance(node, dict):
        return {snake(key): with_snake_keys(item) for key, item in node.items() if key not in RECORDS_KEYS}
    return node


def without_nulls(node: Any) -> Any:
    """The shared JSON shows a null also for a tagged field that was left out, so nulls cannot be compared there."""
    if isinstance(node, list):
        return [without_nulls(item) for item in node]
    if isinstance(node, dict):
        return {key: without_nulls(item) for key, item in node.items() if item is not None}
    return node


def unchanged(node: Any) -> Any:
    return node


def disagreeing(vectors: list[dict[str, Any]], view: Callable[[Any], Any] = unchanged) -> list[str]:
    wrong = []
    for vector in vectors:
        message = decode(message_class(vector["name"]), vector["version"], bytes.fromhex(vector["hex"]))
        ours, theirs = message_as_json(message, vector["version"]), with_snake_keys(vector["json"])
        if view(ours) != view(theirs):
            wrong.append(f"{label(vector)}: {ours} != {theirs}")
    return wrong


def test_every_encoding_of_kafka_survives_a_round_trip() -> None:
    assert not not_round_tripping(own_vectors())


def test_every_encoding_of_kafka_means_to_us_what_it_means_to_kafka() -> None:
    assert not disagreeing(own_vectors())


def test_every_generated_message_has_a_vector() -> None:
    folder = ROOT / "reference_broker" / "wire" / "messages"
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert modules == {snake(vector["name"]) for vector in own_vectors()}


def test_every_shared_encoding_survives_a_round_trip() -> None:
    vectors = shared_vectors()
    assert len(vectors) == 2226
    assert not not_round_tripping(vectors)


def test_every_shared_encoding_means_to_us_what_it_means_to_kafka() -> None:
    assert not disagreeing(shared_vectors(), without_nulls)
