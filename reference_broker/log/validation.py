"""What a batch from a client must be before it may enter the log, and the batch as it enters.

Source: Kafka documentation, "Record Batch" and "Topic Configs"; KIP-467 for errors of single records.
"""

from __future__ import annotations

from dataclasses import dataclass

from reference_broker.log.config import LONG_MAX, LogConfig
from reference_broker.wire.compression import Compression, compress, decompress
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import Buffer, MalformedRequest
from reference_broker.wire.record_scan import Scan, scan_records
from reference_broker.wire.records import (
    DECOMPRESSED_LIMIT,
    HEADER_SIZE,
    LOG_APPEND_TIME,
    MAGIC_AT,
    NO_SEQUENCE,
    NO_TIMESTAMP,
    Batch,
    BatchHeader,
    parse_batch_header,
    with_header,
)
from reference_broker.wire.refusal import KafkaError


class RecordsRefused(KafkaError):
    """A batch refused because of some of its records: (index, what is wrong) each."""

    def __init__(self, code: ErrorCode, detail: str, record_errors: tuple[tuple[int, str], ...]) -> None:
        super().__init__(code, detail)
        self.record_errors = record_errors


@dataclass(frozen=True, slots=True)
class Validated:
    """A batch that may be appended. `data` is the client's buffer, or a new one where something had to change."""

    header: BatchHeader
    data: Buffer


def only_batch(records: Buffer, config: LogConfig) -> Batch:
    """The single v2 batch that a Produce request may hold for a partition. KafkaError otherwise."""
    view = memoryview(records)
    if len(view) > MAGIC_AT and view[MAGIC_AT] < 2:
        raise KafkaError(ErrorCode.INVALID_RECORD, f"message format {view[MAGIC_AT]} is not accepted, only 2 is")
    try:
        header = parse_batch_header(view)
    except MalformedRequest as error:
        raise KafkaError(ErrorCode.CORRUPT_MESSAGE, str(error)) from error
    if header.magic != 2:
        raise KafkaError(ErrorCode.INVALID_RECORD, f"message format {header.magic} is not accepted, only 2 is")
    if header.size_in_bytes > len(view):
        raise KafkaError(ErrorCode.CORRUPT_MESSAGE, f"a batch claims {header.size_in_bytes} of {len(view)} bytes")
    if header.size_in_bytes < len(view):
        raise KafkaError(ErrorCode.INVALID_RECORD, "more than one batch was sent for one partition")
    if header.size_in_bytes > config.max_message_bytes:
        raise KafkaError(
            ErrorCode.MESSAGE_TOO_LARGE,
            f"a batch of {header.size_in_bytes} bytes exceeds max.message.bytes={config.max_message_bytes}",
        )
    batch = Batch(header, view)
    if not batch.crc_is_valid():
        raise KafkaError(ErrorCode.CORRUPT_MESSAGE, "the batch does not match its CRC-32C")
    return batch


def validate(records: Buffer, config: LogConfig, now_ms: int) -> Validated:
    """A client's batch, checked as Kafka's leader checks it, and converted where the topic asks for it."""
    batch = only_batch(records, config)
    header = batch.header
    _check_header(header)
    try:
        codec = header.compression
        payload: Buffer = batch.data[HEADER_SIZE:]
        plain = payload if codec is Compression.NONE else decompress(codec, payload, DECOMPRESSED_LIMIT)
        scan = scan_records(plain, header.records_count, wants_keys=config.is_compacted)
    except MalformedRequest as error:
        raise KafkaError(ErrorCode.CORRUPT_MESSAGE, str(error)) from error
    if not scan.are_offsets_sequential:
        raise KafkaError(ErrorCode.INVALID_RECORD, "the records' offsets do not count from zero in steps of one")
    if scan.keyless:
        errors = tuple((index, "a compacted topic needs a key") for index in scan.keyless)
        raise RecordsRefused(ErrorCode.INVALID_RECORD, "one or more records have been rejected", errors)
    stamped = _stamp_time(header, scan, config, now_ms)
    target = codec if config.compression_type == "producer" else target_codec(config)
    if target is not codec:
        payload = compress(target, plain, level_of(target, config))
        stamped = stamped._replace(
            attributes=(stamped.attributes & ~0x07) | target, batch_length=HEADER_SIZE - 12 + len(payload)
        )
    if stamped is header:
        return Validated(header, batch.data)
    data = with_header(stamped, payload)
    return Validated(parse_batch_header(data), data)


def target_codec(config: LogConfig) -> Compression:
    """What compression.type asks for; "uncompressed" is none."""
    name = config.compression_type.upper()
    return Compression.NONE if name == "UNCOMPRESSED" else Compression[name]


def level_of(codec: Compression, config: LogConfig) -> int | None:
    """The topic's level for a codec (KIP-390)."""
    return {
        Compression.GZIP: config.compression_gzip_level,
        Compression.LZ4: config.compression_lz4_level,
        Compression.ZSTD: config.compression_zstd_level,
    }.get(codec)


def _check_header(header: BatchHeader) -> None:
    wrong = None
    if header.is_control:
        wrong = "clients may not write control batches"
    elif header.records_count <= 0:
        wrong = f"the batch claims {header.records_count} records"
    elif header.last_offset_delta != header.records_count - 1:
        wrong = f"the batch has {header.records_count} records, but its last offset delta is {header.last_offset_delta}"
    elif header.has_producer_id and header.base_sequence <= NO_SEQUENCE:
        wrong = f"an idempotent batch cannot begin with sequence {header.base_sequence}"
    elif header.attributes & 0x07 > Compression.ZSTD:
        wrong = f"{header.attributes & 0x07} is no compression codec"
    if wrong:
        raise KafkaError(ErrorCode.INVALID_RECORD, wrong)


def _stamp_time(header: BatchHeader, scan: Scan, config: LogConfig, now_ms: int) -> BatchHeader:
    if config.message_timestamp_type == "LogAppendTime":
        return header._replace(attributes=header.attributes | LOG_APPEND_TIME, max_timestamp=now_ms)
    if header.is_log_append_time:
        raise KafkaError(ErrorCode.INVALID_TIMESTAMP, "a client may not claim LogAppendTime on a CreateTime topic")
    latest = header.base_timestamp + scan.max_timestamp_delta
    earliest = header.base_timestamp + scan.min_timestamp_delta
    too_new = latest - now_ms > config.message_timestamp_after_max_ms
    before = config.message_timestamp_before_max_ms
    too_old = before != LONG_MAX and earliest != NO_TIMESTAMP and now_ms - earliest > before
    if too_new or too_old:
        index = scan.index_of_max_timestamp if too_new else 0
        timestamp = latest if too_new else earliest
        detail = f"timestamp {timestamp} is out of range: the broker's clock says {now_ms}"
        raise RecordsRefused(ErrorCode.INVALID_TIMESTAMP, detail, ((index, detail),))
    return header if latest == header.max_timestamp else header._replace(max_timestamp=latest)
