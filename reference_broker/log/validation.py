"""What a batch from a client must be before it may enter the log, and the batch as it enters.

Source: Kafka documentation, "Record Batch" and "Topic Configs"; KIP-467 for errors of single records.
"""

from __future__ import annotations

from reference_broker.log.config import LogConfig
from reference_broker.wire.compression import Compression, compress, decompress
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import Buffer, Frozen, MalformedRequest
from reference_broker.wire.record_scan import Scan, scan_records
from reference_broker.wire.records import (
    CODECS,
    COMPRESSION_MASK,
    CONTROL,
    DECOMPRESSED_LIMIT,
    DELETE_HORIZON,
    HEADER,
    HEADER_SIZE,
    LENGTH_END,
    LOG_APPEND_TIME,
    MAGIC_AT,
    NO_PRODUCER_ID,
    NO_SEQUENCE,
    NO_TIMESTAMP,
    Batch,
    BatchHeader,
    Record,
    encode_record,
    parse_batch_header,
    with_header,
)
from reference_broker.wire.refusal import KafkaError

LENGTH_AT = 8
SMALLEST_MESSAGE = 14
"""What a message of the oldest format has after its length: nothing shorter can be a batch of any format."""


class RecordsRefused(KafkaError):
    """A batch refused because of some of its records: (index, what is wrong) each."""

    def __init__(self, code: ErrorCode, detail: str, record_errors: tuple[tuple[int, str], ...]) -> None:
        super().__init__(code, detail)
        self.record_errors = record_errors


class Unreadable(KafkaError):
    """Records that do not even begin like a batch: Kafka refuses the whole request for them."""


class Validated(Frozen, frozen=True):
    """A batch that may be appended. `data` is the client's buffer, or a new one where something had to change."""

    header: BatchHeader
    data: Buffer


def only_batch(records: Buffer) -> Batch:
    """The single v2 batch that a Produce request may hold for a partition. INVALID_RECORD, CORRUPT_MESSAGE otherwise.

    Unreadable when it does not begin like a batch. Like Kafka, it overlooks a part of a batch that follows the first.
    """
    view = records if isinstance(records, memoryview) else memoryview(records)
    if len(view) >= HEADER_SIZE:
        header: BatchHeader = tuple.__new__(BatchHeader, HEADER.unpack_from(view))
        if header.magic == 2 and header.batch_length + LENGTH_END == len(view):
            return Batch(header, view)  # as nearly always: one whole batch and nothing else
    try:
        size = _size_of_first(view)
    except KafkaError as error:
        raise Unreadable(error.code, error.detail) from error
    if size is None:
        raise KafkaError(ErrorCode.INVALID_RECORD, "there must be one whole record batch for each partition")
    if view[MAGIC_AT] != 2:
        raise KafkaError(ErrorCode.INVALID_RECORD, f"message format {view[MAGIC_AT]} is not accepted, only 2 is")
    if len(view) > size:
        if _size_of_first(view[size:]) is not None:
            raise KafkaError(ErrorCode.INVALID_RECORD, "more than one batch was sent for one partition")
        view = view[:size]
    try:
        return Batch(parse_batch_header(view), view)
    except MalformedRequest as malformed:
        raise KafkaError(ErrorCode.CORRUPT_MESSAGE, str(malformed)) from malformed


def first_header(records: Buffer | None) -> BatchHeader | None:
    """The header of the first batch, when that is whole and of format 2, whatever follows it."""
    view = memoryview(records or b"")
    if len(view) < HEADER_SIZE or view[MAGIC_AT] != 2:
        return None
    header: BatchHeader = tuple.__new__(BatchHeader, HEADER.unpack_from(view))
    return header if HEADER_SIZE <= header.size_in_bytes <= len(view) else None


def _size_of_first(view: memoryview) -> int | None:
    """Bytes of the batch at the start of a buffer; None when it is not whole. CORRUPT_MESSAGE for absurd ones."""
    if len(view) < LENGTH_END:
        return None
    length = int.from_bytes(view[LENGTH_AT:LENGTH_END], "big", signed=True)
    if length < SMALLEST_MESSAGE:
        raise KafkaError(
            ErrorCode.CORRUPT_MESSAGE,
            f"Record size {length} is less than the minimum record overhead ({SMALLEST_MESSAGE})",
        )
    if len(view) <= MAGIC_AT:
        return None
    if view[MAGIC_AT] > 2:
        magic = int.from_bytes(view[MAGIC_AT : MAGIC_AT + 1], "big", signed=True)
        raise KafkaError(ErrorCode.CORRUPT_MESSAGE, f"Invalid magic found in record: {magic}")
    size = length + LENGTH_END
    return size if size <= len(view) else None


def _too_large(header: BatchHeader, config: LogConfig) -> KafkaError:
    return KafkaError(
        ErrorCode.MESSAGE_TOO_LARGE,
        f"a batch of {header.size_in_bytes} bytes exceeds max.message.bytes={config.max_message_bytes}",
    )


def validate(batch: Batch, config: LogConfig, now_ms: int, partition: str) -> Validated:
    """A client's batch, checked as Kafka's leader checks it, and converted where the topic asks for it.

    `partition` is its name, for messages. What is asked of every batch is asked in line; the rest has functions.
    """
    header, data = batch.header, batch.data
    attributes = header.attributes
    if header.base_offset != 0:
        raise KafkaError(ErrorCode.INVALID_RECORD, f"a client's batch begins at offset {header.base_offset}, not 0")
    if header.batch_length + LENGTH_END > config.max_message_bytes:
        raise _too_large(header, config)
    if not batch.crc_is_valid():
        raise KafkaError(ErrorCode.CORRUPT_MESSAGE, "the batch does not match its CRC-32C")
    codec = CODECS.get(attributes & COMPRESSION_MASK)
    if codec is None:
        # Kafka answers so, too: it looks the codec up before it knows that the batch is wrong.
        raise KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, f"{attributes & COMPRESSION_MASK} is no compression codec")
    _check_header(header)
    payload: Buffer = data[HEADER_SIZE:]
    plain = payload if codec is Compression.NONE else _decompressed(codec, payload)
    try:
        scan = scan_records(plain, header.records_count, wants_keys="compact" in config.cleanup_policy)
    except MalformedRequest as error:
        raise KafkaError(ErrorCode.INVALID_RECORD, str(error)) from error
    if scan.keyless or _has_wrong_time(header, scan, config, now_ms):
        _refuse_records(batch, config, now_ms, partition)
    target = codec if config.compression_type == "producer" else target_codec(config)
    must_be_numbered = codec is not Compression.NONE and not scan.are_offsets_sequential
    stamped = _stamped(header, scan, config, now_ms)
    if must_be_numbered or target is not codec:
        _check_producer(header)
        if must_be_numbered or attributes & LOG_APPEND_TIME:
            plain = _numbered(batch)  # written again, each record has the one time that it was read with
        payload = compress(target, plain, level_of(target, config))
        stamped = stamped._replace(
            attributes=(stamped.attributes & ~(COMPRESSION_MASK | DELETE_HORIZON)) | target,
            batch_length=HEADER_SIZE - LENGTH_END + len(payload),
        )
        if stamped.size_in_bytes > config.max_message_bytes:
            raise _too_large(stamped, config)
    if stamped.batch_length + LENGTH_END > config.segment_bytes:
        raise KafkaError(
            ErrorCode.RECORD_LIST_TOO_LARGE,
            f"a batch of {stamped.size_in_bytes} bytes exceeds segment.bytes={config.segment_bytes}",
        )
    if stamped is header:
        return Validated(header, data)
    written = with_header(stamped, payload)
    return Validated(parse_batch_header(written), written)


def _check_producer(header: BatchHeader) -> None:
    """A batch that is written anew needs all of its producer; Kafka fails on others only then."""
    if header.has_producer_id and (header.producer_epoch < 0 or header.base_sequence < 0):
        raise KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, f"producer {header.producer_id} has no epoch or no sequence")


def _decompressed(codec: Compression, payload: Buffer) -> bytes:
    try:
        return decompress(codec, payload, DECOMPRESSED_LIMIT)
    except MalformedRequest as error:
        # Kafka has no better code for it.
        raise KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, str(error)) from error


def _numbered(batch: Batch) -> bytes:
    """The records again, plain, their offsets counted from zero: Kafka mends a compressed batch that lacks this."""
    base = batch.header.base_timestamp
    return b"".join(encode_record(at, record.timestamp - base, record) for at, record in enumerate(batch.records()))


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
    if header.records_count <= 0:
        wrong = f"the batch claims {header.records_count} records"
    elif header.last_offset_delta != header.records_count - 1:
        wrong = f"the batch has {header.records_count} records, but its last offset delta is {header.last_offset_delta}"
    elif header.attributes & CONTROL:
        wrong = "clients may not write control batches"
    elif header.producer_id > NO_PRODUCER_ID and header.base_sequence <= NO_SEQUENCE:
        wrong = f"an idempotent batch cannot begin with sequence {header.base_sequence}"
    if wrong:
        raise KafkaError(ErrorCode.INVALID_RECORD, wrong)


def _is_out_of_range(timestamp: int, config: LogConfig, now_ms: int) -> bool:
    return (
        now_ms - timestamp > config.message_timestamp_before_max_ms
        or timestamp - now_ms > config.message_timestamp_after_max_ms
    )


def _has_wrong_time(header: BatchHeader, scan: Scan, config: LogConfig, now_ms: int) -> bool:
    """Whether a record may be refused for its timestamp; looks at the extremes only."""
    has_append_time = bool(header.attributes & LOG_APPEND_TIME)
    if has_append_time or config.message_timestamp_type == "LogAppendTime":
        return has_append_time
    base = header.base_timestamp
    return (
        now_ms - base - scan.min_timestamp_delta > config.message_timestamp_before_max_ms
        or base + scan.max_timestamp_delta - now_ms > config.message_timestamp_after_max_ms
    )


def _refuse_records(batch: Batch, config: LogConfig, now_ms: int, partition: str) -> None:
    """Look at each record. RecordsRefused names those that may not stay, in Kafka's words: clients show them."""
    has_create_time = config.message_timestamp_type != "LogAppendTime"
    codec = batch.header.compression
    # Of a compressed batch that stays as it is, Kafka reads no keys and values.
    is_partial = codec is not Compression.NONE and config.compression_type in ("producer", codec.name.lower())
    errors: list[tuple[int, str]] = []
    has_wrong_time = False
    for index, record in enumerate(batch.records()):
        wrong = None
        if config.is_compacted and record.key is None:
            wrong = f"Compacted topic cannot accept message without key in topic partition {partition}"
        elif has_create_time and record.timestamp != NO_TIMESTAMP:
            if _is_out_of_range(record.timestamp, config, now_ms):
                wrong, has_wrong_time = _range_text(record, config, now_ms), True
        elif batch.header.is_log_append_time:
            wrong, has_wrong_time = _append_time_text(record, is_partial=is_partial), True
        if wrong is not None:
            errors.append((index, wrong))
    if has_wrong_time:
        text = "One or more records have been rejected due to invalid timestamp"
        raise RecordsRefused(ErrorCode.INVALID_TIMESTAMP, text, tuple(errors))
    if errors:
        shown = ", ".join(f"RecordError(batchIndex={index}, message='{wrong}')" for index, wrong in errors[:3])
        text = (
            f"One or more records have been rejected due to {len(errors)} record errors in total, and only showing the "
            f"first three errors at most: [{shown}]"
        )
        raise RecordsRefused(ErrorCode.INVALID_RECORD, text, tuple(errors))


def _range_text(record: Record, config: LogConfig, now_ms: int) -> str:
    # Kafka's numbers have 64 bits, and a limit may be the largest of them.
    latest = (now_ms + config.message_timestamp_after_max_ms + (1 << 63)) % (1 << 64) - (1 << 63)
    return (
        f"Timestamp {record.timestamp} of message with offset {record.offset} is out of range. The timestamp should be "
        f"within [{now_ms - config.message_timestamp_before_max_ms}, {latest}]"
    )


def _append_time_text(record: Record, *, is_partial: bool) -> str:
    kind, size_of_null = ("PartialDefaultRecord", -1) if is_partial else ("DefaultRecord", 0)
    key, value = (size_of_null if part is None else len(part) for part in (record.key, record.value))
    return (
        f"Invalid timestamp type in message {kind}(offset={record.offset}, timestamp={record.timestamp}, "
        f"key={key} bytes, value={value} bytes). Producer should not set timestamp type to LogAppendTime."
    )


def _stamped(header: BatchHeader, scan: Scan, config: LogConfig, now_ms: int) -> BatchHeader:
    """The header with the time that counts for the topic; the same object where nothing changes."""
    if config.message_timestamp_type == "LogAppendTime":
        return header._replace(attributes=header.attributes | LOG_APPEND_TIME, max_timestamp=now_ms)
    if header.attributes & LOG_APPEND_TIME:
        return header._replace(attributes=header.attributes & ~LOG_APPEND_TIME)
    latest = max(NO_TIMESTAMP, header.base_timestamp + scan.max_timestamp_delta)
    return header if latest == header.max_timestamp else header._replace(max_timestamp=latest)
