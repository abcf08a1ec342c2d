"""What Kafka's own serialisers wrote, we read and write back, byte for byte."""

from __future__ import annotations

import gzip
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from reference_broker.wire.codec import decode, encode_bytes
from reference_broker.wire.generated_source import snake

ROOT = Path(__file__).resolve().parents[3]
OWN = ROOT / "tests" / "vectors" / "wire_vectors.jsonl.gz"
SHARED = ROOT.parent / "shared" / "spec" / "vectors" / "wire_vectors.jsonl"


def message_class(name: str) -> Any:
    return getattr(import_module(f"reference_broker.wire.messages.{snake(name)}"), name)


def mismatches(lines: list[str]) -> list[str]:
    wrong = []
    for line in lines:
        vector = json.loads(line)
        raw = bytes.fromhex(vector["hex"])
        message = decode(message_class(vector["name"]), vector["version"], raw)
        if encode_bytes(message, vector["version"]) != raw:
            wrong.append(f"{vector['name']} v{vector['version']} {vector['variant']}")
    return wrong


def test_every_shared_encoding_survives_a_round_trip() -> None:
    if not SHARED.is_file():
        pytest.skip("the shared vectors are not beside this checkout; the project's own stand in tests/vectors")
    lines = SHARED.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2226
    assert not mismatches(lines)
