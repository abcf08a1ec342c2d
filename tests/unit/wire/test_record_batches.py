"""Record batches: Kafka's own read right, ours read back, broken ones refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_broker.wire.compression import Compression, compress, decompress
from reference_broker.wire.primitives import MalformedRequest
from reference_broker.wire.record_scan import scan_records
from reference_broker.wire.records import HEADER_SIZE, Record, encode_batch, iter_batches

SHARED = Path(__file__).resolve().parents[4] / "shared" / "spec" / "vectors" / "record_vectors.jsonl"
CODECS = list(Compression)

some_bytes = st.none() | st.binary(max_size=300)
records = st.lists(
    st.builds(
        lambda timestamp, key, value, headers: (timestamp, key, value, tuple(headers)),
        st.integers(0, 1 << 45),
        some_bytes,
        some_bytes,
        st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"]), max_size=9), some_bytes), max_size=3),
    ),
    min_size=1,
    max_size=20,
)


def test_kafkas_own_batches_are_read() -> None:
    if not SHARED.is_file():
        pytest.skip("the shared vectors are not beside this checkout")
    for line in SHARED.read_text(encoding="utf-8").splitlines():
        vector = json.loads(line)
        raw = bytes.fromhex(vector.get("hex", ""))
        for batch in iter_batches(raw):
            if batch.header.magic == 2:
                assert batch.crc_is_valid(), vector["name"]
                assert len(list(batch.records())) == batch.header.records_count, vector["name"]


@given(records, st.sampled_from(CODECS), st.integers(0, 1 << 40))
def test_records_survive_a_batch(
    given_records: list[tuple[int, bytes, bytes, tuple]], codec: Compression, base: int
) -> None:
    written = [Record(base + i, *fields) for i, fields in enumerate(given_records)]
    (batch,) = iter_batches(encode_batch(written, base_offset=base, compression=codec, leader_epoch=3))
    assert list(batch.records()) == written
    assert batch.crc_is_valid()


@given(records)
def test_the_scan_agrees_with_the_records(given_records: list[tuple[int, bytes, bytes, tuple]]) -> None:
    written = [Record(i, *fields) for i, fields in enumerate(given_records)]
    batch = encode_batch(written)
    scan = scan_records(batch[HEADER_SIZE:], len(written), wants_keys=True)
    timestamps = [record.timestamp for record in written]
    assert timestamps[0] + scan.max_timestamp_delta == max(timestamps)
    assert timestamps[0] + scan.min_timestamp_delta == min(timestamps)
    assert scan.index_of_max_timestamp == timestamps.index(max(timestamps))
    assert scan.keyless == tuple(i for i, record in enumerate(written) if record.key is None)
    assert scan.are_offsets_sequential


@given(records, st.data())
def test_a_changed_payload_is_refused_or_read_but_never_crashes(
    given_records: list[tuple[int, bytes, bytes, tuple]], data: st.DataObject
) -> None:
    written = [Record(i, *fields) for i, fields in enumerate(given_records)]
    payload = bytearray(encode_batch(written)[HEADER_SIZE:])
    payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    try:
        scan_records(bytes(payload), len(written), wants_keys=True)
    except MalformedRequest:
        return


@pytest.mark.parametrize("codec", CODECS[1:])
def test_a_decompression_bomb_is_bounded(codec: Compression) -> None:
    bomb = compress(codec, bytes(50_000_000))
    with pytest.raises(MalformedRequest, match="grow beyond"):
        decompress(codec, bomb, 1_000_000)


@pytest.mark.parametrize("codec", CODECS[1:])
def test_truncated_compressed_data_is_refused(codec: Compression) -> None:
    whole = compress(codec, os.urandom(5000))
    with pytest.raises(MalformedRequest):
        decompress(codec, whole[:-9], 1_000_000)


@pytest.mark.parametrize("codec", [Compression.GZIP, Compression.LZ4, Compression.ZSTD])
def test_concatenated_frames_are_read_as_one(codec: Compression) -> None:
    assert decompress(codec, compress(codec, b"first ") + compress(codec, b"second"), 1000) == b"first second"


def test_snappy_without_framing_is_read() -> None:
    import cramjam

    assert decompress(Compression.SNAPPY, bytes(cramjam.snappy.compress_raw(b"plain snappy")), 1000) == b"plain snappy"


def test_a_snappy_block_that_claims_more_than_it_can_hold_is_refused() -> None:
    with pytest.raises(MalformedRequest, match="claims to hold"):
        decompress(Compression.SNAPPY, b"\xff\xff\xff\x7f" + b"\0a", 1 << 30)


@given(st.sampled_from(CODECS[1:]), st.data())
def test_changed_compressed_data_is_read_or_refused(codec: Compression, data: st.DataObject) -> None:
    packed = bytearray(compress(codec, b"some records, some records, some more " * 50))
    packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    try:
        content = decompress(codec, bytes(packed), 100_000)
    except MalformedRequest:
        return
    assert len(content) <= 100_000
