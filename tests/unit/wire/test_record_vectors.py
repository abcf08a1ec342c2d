"""Batches that Kafka's own builders wrote, read and, where nothing is compressed, written again byte for byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reference_broker.wire.codec import decode
from reference_broker.wire.compression import Compression
from reference_broker.wire.messages.end_txn_marker import EndTxnMarker
from reference_broker.wire.record_scan import scan_records
from reference_broker.wire.records import Batch, Record, encode_batch, iter_batches, magic_of

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "record_vectors.jsonl"
TIME = 1_700_000_000_000


def vectors() -> dict[str, bytes]:
    rows = map(json.loads, VECTORS.read_text(encoding="utf-8").splitlines())
    return {row["name"]: bytes.fromhex(row["hex"]) for row in rows}


def batch_of(name: str) -> Batch:
    (batch,) = iter_batches(vectors()[name])
    return batch


def written_records(value_size: int) -> list[Record]:
    return [
        Record(
            100 + i,
            TIME + 7 * i,
            None if i == 2 else b"key-%d" % i,
            None if i == 3 else bytes([ord("a") + i]) * (value_size * i),
            (("h1", b"v1"), ("h2", None)) if i == 4 else (),
        )
        for i in range(6)
    ]


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_a_batch_that_kafka_compressed_holds_the_records_written(codec: str) -> None:
    batch = batch_of(f"plain-{codec}")
    assert batch.header.compression is Compression[codec.upper()]
    assert list(batch.records()) == written_records(20)


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_a_large_batch_that_kafka_compressed_in_blocks_holds_the_records_written(codec: str) -> None:
    assert list(batch_of(f"large-{codec}").records()) == written_records(30_000)


@pytest.mark.parametrize("name", [name for name in vectors() if not name.startswith("magic")])
def test_kafkas_checksum_is_right(name: str) -> None:
    assert batch_of(name).crc_is_valid()


@pytest.mark.parametrize("name", [name for name in vectors() if not name.startswith("magic")])
def test_kafkas_records_pass_the_scan(name: str) -> None:
    batch = batch_of(name)
    assert scan_records(batch.payload(), batch.header.records_count).are_offsets_sequential


def test_a_plain_batch_is_written_as_kafka_writes_it() -> None:
    assert encode_batch(written_records(20), base_offset=100, leader_epoch=5) == vectors()["plain-none"]


def test_an_idempotent_batch_is_written_as_kafka_writes_it() -> None:
    ours = encode_batch(
        written_records(20), base_offset=100, leader_epoch=5, producer_id=4000, producer_epoch=3, base_sequence=17
    )
    assert ours == vectors()["idempotent"]


def test_a_transactional_batch_is_written_as_kafka_writes_it() -> None:
    ours = encode_batch(
        written_records(20),
        base_offset=100,
        leader_epoch=5,
        producer_id=4000,
        producer_epoch=3,
        base_sequence=0x7FFFFFFF - 2,
        is_transactional=True,
    )
    assert ours == vectors()["transactional"]


def test_sequence_numbers_wrap_to_zero() -> None:
    assert batch_of("transactional").header.last_sequence == 2


@pytest.mark.parametrize(("name", "kind"), [("marker-abort", 0), ("marker-commit", 1)])
def test_a_transaction_marker_is_read(name: str, kind: int) -> None:
    batch = batch_of(name)
    (record,) = batch.records()
    assert batch.header.is_control
    assert record.key == b"\0\0" + kind.to_bytes(2, "big")
    assert record.value is not None
    version = int.from_bytes(record.value[:2], "big")
    assert decode(EndTxnMarker, version, record.value[2:]).coordinator_epoch == 12


@pytest.mark.parametrize("name", [name for name in vectors() if name.startswith("magic")])
def test_an_old_message_format_is_recognised(name: str) -> None:
    assert magic_of(vectors()[name]) == int(name[len("magic")])
