"""Produced batches are validated, and stored as the topic's settings say.
**Claim** A batch whose header, records and CRC agree is appended whole, and is read back as it was sent, except for the
compression codec and the timestamps if the topic sets its own. An invalid batch (damaged, too large, a record without a
key in a compacted topic, a timestamp out of bounds) is refused with its own error, and nothing is appended.
**Why it matters** A damaged batch in the log is noticed only when a client reads it, and then no client can read past
it.
**Kafka says** Protocol guide, "Record Batch"; KIP-98 (batches), KIP-110 (zstd), KIP-467 (errors of records); topic
configurations compression.type, max.message.bytes, message.timestamp.type.
**Cannot see** Compaction; retention by timestamps.
**Rejects** tests/plants/takes_a_batch_with_a_wrong_checksum.py, tests/plants/ignores_the_topics_compression.py
"""

from __future__ import annotations

import struct

import pytest

from harness.comparing.exchange import Exchange
from harness.comparing.kept_records import kept, only_header, only_partition
from harness.comparing.request_forms import T0, batch, fetch, produce, records, variants, versions
from harness.hosts import cluster_time as time
from harness.judging.outcome import require
from reference_broker.wire.compression import Compression
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.records import (
    COMPRESSION_MASK,
    encode_batch,
    iter_batches,
    parse_batch_header,
    with_header,
)

pytestmark = [pytest.mark.feature("Produce"), pytest.mark.kip(98, 110, 467)]

LOG_APPEND_TIME = 8


def patched(data: bytes, offset: int, fmt: str, *values: int) -> bytes:
    """A batch with some bytes overwritten and its CRC unchanged."""
    changed = bytearray(data)
    struct.pack_into(fmt, changed, offset, *values)
    return bytes(changed)


def rewritten(data: bytes, **fields: int) -> bytes:
    """A batch with fields of its header changed and a valid CRC."""
    return with_header(parse_batch_header(data)._replace(**fields), data[61:])


ONE = batch("one", "two")
OLD_MESSAGE = struct.pack(">qiIbbq", 0, 26, 0, 1, 0, T0) + struct.pack(">i", -1) + struct.pack(">i", 4) + b"text"
BATCHES = {
    "no_records_at_all": (b"", ErrorCode.INVALID_RECORD),
    "two_batches": (ONE + ONE, ErrorCode.INVALID_RECORD),
    "cut_short": (ONE[:-3], ErrorCode.INVALID_RECORD),
    "cut_in_its_header": (ONE[:30], ErrorCode.INVALID_RECORD),
    "trailing_bytes": (ONE + b"\0\0\0", ErrorCode.NONE),
    "wrong_checksum": (patched(ONE, 17, ">I", 1), ErrorCode.CORRUPT_MESSAGE),
    "a_bit_flipped": (ONE[:-1] + bytes([ONE[-1] ^ 1]), ErrorCode.CORRUPT_MESSAGE),
    "message_of_format_1": (OLD_MESSAGE, ErrorCode.INVALID_RECORD),
    "magic_3": (patched(ONE, 16, ">b", 3), ErrorCode.CORRUPT_MESSAGE),
    "magic_minus_1": (patched(ONE, 16, ">b", -1), ErrorCode.CORRUPT_MESSAGE),
    "base_offset_5": (patched(ONE, 0, ">q", 5), ErrorCode.INVALID_RECORD),
    "more_records_than_there_are": (rewritten(ONE, records_count=3), ErrorCode.INVALID_RECORD),
    "fewer_records_than_there_are": (rewritten(ONE, records_count=1), ErrorCode.INVALID_RECORD),
    "no_records_counted": (rewritten(ONE, records_count=0), ErrorCode.INVALID_RECORD),
    "counted_minus_1": (rewritten(ONE, records_count=-1), ErrorCode.INVALID_RECORD),
    "last_offset_delta_5": (rewritten(ONE, last_offset_delta=5), ErrorCode.INVALID_RECORD),
    "last_offset_delta_minus_1": (rewritten(ONE, last_offset_delta=-1), ErrorCode.INVALID_RECORD),
    "control_batch": (batch("a", is_control=True), ErrorCode.INVALID_RECORD),
    "log_append_time_by_the_client": (rewritten(ONE, attributes=8), ErrorCode.NONE),
    "producer_id_without_sequence": (
        rewritten(ONE, producer_id=7, producer_epoch=0, base_sequence=-1),
        ErrorCode.INVALID_RECORD,
    ),
    "unknown_compression": (rewritten(ONE, attributes=5), None),
    "gzip_that_is_none": (rewritten(ONE, attributes=1), None),
    "leader_epoch_of_the_client": (patched(ONE, 12, ">i", 77), ErrorCode.NONE),
    "wrong_max_timestamp": (rewritten(ONE, max_timestamp=T0 + 99), ErrorCode.NONE),
    "reserved_attribute": (rewritten(ONE, attributes=0x80), ErrorCode.NONE),
}
"""(bytes, error); None if an error is promised, but its code is an accident of Kafka."""


@pytest.mark.parametrize("case", BATCHES.values(), ids=BATCHES)
@versions(3, 9, 12)
def test_a_batch_is_checked(exchange: Exchange, version: int, case: tuple[bytes, ErrorCode | None]) -> None:
    """Damaged or inconsistent batches are refused and not appended; fields that the broker sets itself, and extra
    bytes, are ignored."""
    data, code = case
    topic = exchange.topic()
    answer = exchange.ask("one batch", produce(topic, data), version)

    if code is None:
        assert only_partition(answer).error_code != ErrorCode.NONE
    else:
        assert only_partition(answer).error_code == code
    read = exchange.ask("what is there then", fetch(topic), 12)
    wanted = [(0, None, b"one"), (1, None, b"two")] if code == ErrorCode.NONE else []
    require(kept(read), wanted, "what is there")


def test_offsets_inside_a_batch_may_have_no_gaps(exchange: Exchange) -> None:
    """A batch whose records have gaps between their offsets is refused."""
    gap, topic = [one._replace(offset=one.offset * 2) for one in records("a", "b", "c")], exchange.topic()
    answer = exchange.ask("records at 0, 2 and 4", produce(topic, encode_batch(gap)), 9)

    assert only_partition(answer).error_code == ErrorCode.INVALID_RECORD
    assert kept(exchange.quietly(fetch(topic), 12)) == []


@variants("codec", gzip=Compression.GZIP, snappy=Compression.SNAPPY, lz4=Compression.LZ4, zstd=Compression.ZSTD)
@versions(3, 7, 9, 12)
def test_compressed_batches_are_taken(exchange: Exchange, version: int, codec: Compression) -> None:
    """Batches of each codec are accepted (zstd from version 7 on), and can be read back."""
    topic = exchange.topic()
    data = batch(*["the same words again and again"] * 20, compression=codec)
    answer = exchange.ask(f"a batch in {codec.name}", produce(topic, data), version)

    is_too_early = codec is Compression.ZSTD and version < 7
    assert only_partition(answer).error_code == (
        ErrorCode.UNSUPPORTED_COMPRESSION_TYPE if is_too_early else ErrorCode.NONE
    )
    read = exchange.ask("what is there then", fetch(topic), 12)
    assert [value for _, _, value in kept(read)] == ([] if is_too_early else [b"the same words again and again"] * 20)


CODECS = {one.name.lower(): one for one in Compression} | {"uncompressed": Compression.NONE}


@pytest.mark.parametrize("wanted", ["uncompressed", "gzip", "snappy", "lz4", "zstd", "producer"])
@variants("codec", none=Compression.NONE, gzip=Compression.GZIP, zstd=Compression.ZSTD)
def test_a_topic_chooses_its_compression(exchange: Exchange, codec: Compression, wanted: str) -> None:
    """Records are stored with the codec of the topic's compression.type; "producer" keeps the producer's codec."""
    topic = exchange.topic(compression_type=wanted)
    data = batch(*["the same words again and again"] * 20, compression=codec)
    answer = exchange.ask(f"{codec.name} into a topic of {wanted}", produce(topic, data), 9)

    assert only_partition(answer).error_code == ErrorCode.NONE
    read = exchange.ask("what is kept", fetch(topic), 12)
    assert [value for _, _, value in kept(read)] == [b"the same words again and again"] * 20
    found = Compression(only_header(read).attributes & COMPRESSION_MASK)
    require(found, CODECS.get(wanted, codec), "the codec of what is kept")


@versions(3, 9)
def test_a_batch_above_the_topics_limit_is_refused(exchange: Exchange, version: int) -> None:
    """A batch larger than the topic's max.message.bytes is refused."""
    topic = exchange.topic(max_message_bytes="200")
    answer = exchange.ask("a batch of over 200 bytes", produce(topic, batch("x" * 200)), version)
    assert only_partition(answer).error_code == ErrorCode.MESSAGE_TOO_LARGE
    answer = exchange.ask("a small one", produce(topic, batch("x")), version)
    assert only_partition(answer).base_offset == 0


def test_a_batch_above_a_segment_is_refused(exchange: Exchange) -> None:
    """A batch larger than segment.bytes is refused."""
    topic = exchange.topic(segment_bytes="1048576", max_message_bytes="3000000")
    answer = exchange.ask("a batch of 1.1 MB, segments of 1 MiB", produce(topic, batch("x" * 1_100_000)), 9)

    assert only_partition(answer).error_code == ErrorCode.RECORD_LIST_TOO_LARGE
    assert kept(exchange.quietly(fetch(topic), 12)) == []


@versions(3, 8, 9)
def test_a_record_without_a_key_does_not_go_into_a_compacted_topic(exchange: Exchange, version: int) -> None:
    """A record without a key is refused in a compacted topic; from version 8 on the answer names the record."""
    topic = exchange.topic(cleanup_policy="compact")
    mixed = [records("a", key="k")[0], records("b", "c")[1]]
    answer = exchange.ask("the second of two records has no key", produce(topic, encode_batch(mixed)), version)

    assert only_partition(answer).error_code == ErrorCode.INVALID_RECORD
    assert kept(exchange.quietly(fetch(topic), 12)) == []
    if version >= 8:
        assert [one.batch_index for one in only_partition(answer).record_errors] == [1]


@versions(3, 8, 9)
def test_timestamps_out_of_bounds_are_refused(exchange: Exchange, version: int) -> None:
    """Timestamps outside the topic's bounds around the broker's time are refused."""
    now = int(time.time() * 1000)
    exchange.distances(-600_000, 600_000, -100_000, 100_000)
    topic = exchange.topic(message_timestamp_before_max_ms="100000", message_timestamp_after_max_ms="100000")
    for words, times, code in (
        ("a record of ten minutes ago", [now, now - 600_000], ErrorCode.INVALID_TIMESTAMP),
        ("a record of in ten minutes", [now + 600_000, now], ErrorCode.INVALID_TIMESTAMP),
        ("records of now", [now, now - 1_000], ErrorCode.NONE),
    ):
        answer = exchange.ask(words, produce(topic, batch("a", "b", timestamps=times)), version)
        assert only_partition(answer).error_code == code
    assert len(kept(exchange.quietly(fetch(topic), 12))) == 2


def test_a_far_future_is_refused_by_default(exchange: Exchange) -> None:
    """By default a topic accepts old timestamps, and refuses those that are more than an hour in the future."""
    now = int(time.time() * 1000)
    exchange.distances(7_200_000, 3_600_000)
    topic = exchange.topic()
    answer = exchange.ask("a record of in two hours", produce(topic, batch("a", timestamps=[now + 7_200_000])), 9)
    assert only_partition(answer).error_code == ErrorCode.INVALID_TIMESTAMP
    answer = exchange.ask("a record of 1970", produce(topic, batch("a", timestamps=[1])), 9)
    assert only_partition(answer).error_code == ErrorCode.NONE
    answer = exchange.ask("a record without a timestamp", produce(topic, batch("a", timestamps=[-1])), 9)
    assert only_partition(answer).error_code == ErrorCode.NONE
    answer = exchange.ask("a record of timestamp -2", produce(topic, batch("a", timestamps=[-2])), 9)
    read = exchange.ask("what is there then", fetch(topic), 12)
    assert len(kept(read)) == (2 if only_partition(answer).error_code else 3)


@versions(3, 9, 12)
def test_a_topic_may_stamp_records_itself(exchange: Exchange, version: int) -> None:
    """With LogAppendTime the broker's time replaces the producer's, and is in the answer."""
    topic = exchange.topic(message_timestamp_type="LogAppendTime")
    answer = exchange.ask("two records of 2023", produce(topic, batch("a", "b")), version)
    assert only_partition(answer).log_append_time_ms > T0
    read = exchange.ask("what is kept", fetch(topic), 12)
    assert (only_header(read).attributes & LOG_APPEND_TIME, only_header(read).max_timestamp) == (
        LOG_APPEND_TIME,
        only_partition(answer).log_append_time_ms,
    )


def test_log_append_time_with_compression(exchange: Exchange) -> None:
    """The broker's time is in the batch's header, and the records stay compressed."""
    topic = exchange.topic(message_timestamp_type="LogAppendTime")
    answer = exchange.ask("two records in gzip", produce(topic, batch("a", "b", compression=Compression.GZIP)), 9)
    found = only_header(exchange.ask("what is kept", fetch(topic), 12))
    assert (found.attributes, found.max_timestamp) == (
        LOG_APPEND_TIME | Compression.GZIP,
        only_partition(answer).log_append_time_ms,
    )


def test_empty_keys_values_and_headers(exchange: Exchange) -> None:
    """Keys and values may be null or empty; header names may repeat, and header values may be null."""
    topic = exchange.topic()
    odd = [
        records("a")[0]._replace(key=b"", value=b""),
        records("a")[0]._replace(offset=1, key=None, value=None),
        records("a")[0]._replace(offset=2, headers=(("h", None), ("h", b""), ("", b"x"))),
    ]
    answer = exchange.ask("three odd records", produce(topic, encode_batch(odd)), 9)
    assert only_partition(answer).error_code == ErrorCode.NONE
    read = exchange.ask("what is there then", fetch(topic), 12)
    assert kept(read) == [(0, b"", b""), (1, None, None), (2, None, b"a")]
    (found,) = iter_batches(read.responses[0].partitions[0].records)
    assert list(found.records())[2].headers == (("h", None), ("h", b""), ("", b"x"))
