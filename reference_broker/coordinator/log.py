"""A coordinator's internal topic as the log of its state machines: entries are encoded and appended as one batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Generic, Protocol, TypeVar

from reference_broker.coordinator.records import RecordTypes, decode_record, encode_record
from reference_broker.coordinator.shard import NO_PRODUCER, CoordinatorRecord, Producer, Shard, TransactionMarker
from reference_broker.environment import Now
from reference_broker.wire.compression import Compression
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.records import HEADER_SIZE, Batch, Record, encode_batch
from reference_broker.wire.refusal import KafkaError

RECORD_OVERHEAD: Final = 64
"""More than the length, deltas and sizes of one record can take."""
ABORT, COMMIT = 0, 1

Encoded = tuple[bytes, bytes | None]
"""Key and value as they stand in the log."""


class CoordinatorLog(Protocol):
    """A coordinator's internal topic, as far as this broker leads it.

    Where a leader epoch is given, it is refused with NOT_LEADER_OR_FOLLOWER unless the broker leads in just that epoch.
    Each may raise KafkaError, and OSError where the disk fails.
    """

    def batches(self, partition: int, offset: int, epoch: int) -> Iterator[Batch]:
        """Everything in the partition's log from the batch that holds an offset on, in order."""

    def append(self, partition: int, batch: bytes, epoch: int, now_ms: int) -> int:
        """Append a batch that was made here, at a wall-clock time; the offset of its last record."""

    def start_offset(self, partition: int) -> int:
        """Where the log begins."""

    def end_offset(self, partition: int) -> int:
        """The offset that the next record gets."""

    def high_watermark(self, partition: int) -> int:
        """The offset behind the last committed record."""

    def when_committed(self, partition: int, offset: int, then: Callable[[Now], None]) -> None:
        """Call back once the high watermark has passed an offset; not where this broker stops leading before."""

    def max_batch_bytes(self, partition: int) -> int:
        """The largest batch that the topic takes."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One batch: what it says, and to the letter. A loaded one names the offsets of its records, and needs no letters.

    `is_replayed` False: its fate is told to whoever decided it, instead.
    """

    records: Sequence[CoordinatorRecord | TransactionMarker]
    encoded: Sequence[Encoded] = ()
    producer: Producer = NO_PRODUCER
    is_replayed: bool = True
    offsets: Sequence[int] | None = None
    is_awaited: ClassVar[bool] = True

    @property
    def is_marker(self) -> bool:
        """Whether it ends a transaction."""
        return isinstance(self.records[0], TransactionMarker)


def entries(
    records: Sequence[CoordinatorRecord | TransactionMarker],
    *,
    producer: Producer,
    is_replayed: bool,
    is_atomic: bool,
    max_batch_bytes: int,
) -> Iterator[Entry]:
    """One entry where the records must stay together, else as many as the largest batch asks for."""
    encoded = [_encode(one) for one in records]
    if is_atomic or len(records) == 1:
        yield Entry(records, encoded, producer, is_replayed)
        return
    first, size = 0, HEADER_SIZE
    for at, (key, value) in enumerate(encoded):
        own = len(key) + len(value or b"") + RECORD_OVERHEAD
        if size + own > max_batch_bytes and at > first:
            yield Entry(records[first:at], encoded[first:at], producer, is_replayed)
            first, size = at, HEADER_SIZE
        size += own
    yield Entry(records[first:], encoded[first:], producer, is_replayed)


def _encode(record: CoordinatorRecord | TransactionMarker) -> Encoded:
    if isinstance(record, CoordinatorRecord):
        return encode_record(record)
    version = (0).to_bytes(2, "big")
    kind = COMMIT if record.is_commit else ABORT
    return version + kind.to_bytes(2, "big"), version + record.coordinator_epoch.to_bytes(4, "big", signed=True)


def loaded_entry(batch: Batch, from_offset: int, types: RecordTypes) -> Entry:
    """What a batch of the log says, from an offset on. MalformedRequest where that cannot be read.

    A record of a type that is not known is left alone.
    """
    records: list[CoordinatorRecord | TransactionMarker] = []
    offsets: list[int] = []
    for one in batch.records():
        if one.offset < from_offset:
            continue
        found: CoordinatorRecord | TransactionMarker | None
        if batch.header.is_control:
            found = TransactionMarker(int.from_bytes((one.key or b"")[2:4], "big") == COMMIT)
        else:
            found = decode_record(one.key, one.value, types)
        if found is not None:
            records.append(found)
            offsets.append(one.offset)
    producer = Producer(batch.header.producer_id, batch.header.producer_epoch)
    return Entry(records, producer=producer, offsets=offsets)


ShardT = TypeVar("ShardT", bound=Shard)


@dataclass(frozen=True, slots=True)
class ShardState(Generic[ShardT]):
    """A shard as the state of a state machine."""

    shard: ShardT

    def replay(self, entry: Entry, first_offset: int, epoch: int) -> None:
        """Apply the records of an entry."""
        if not entry.is_replayed:
            return
        offsets = range(first_offset, first_offset + len(entry.records)) if entry.offsets is None else entry.offsets
        for record, offset in zip(entry.records, offsets, strict=True):
            if isinstance(record, TransactionMarker):
                self.shard.replay_marker(entry.producer.id, is_commit=record.is_commit)
            else:
                self.shard.replay(record, offset, entry.producer.id)

    def mark(self) -> object:
        """The present state."""
        return self.shard.mark()

    def restore(self, mark: object) -> None:
        """Be as at a mark."""
        self.shard.restore(mark)


@dataclass(frozen=True, slots=True)
class EntryLog:
    """One partition of the topic as a log of entries. `codec` is asked at every append."""

    topic: CoordinatorLog
    partition: int
    codec: Callable[[], Compression]

    @property
    def end_offset(self) -> int:
        """The offset that the next record gets."""
        return self.topic.end_offset(self.partition)

    def append(self, entry: Entry, epoch: int, now: Now) -> int:
        """KafkaError as the log says it; MESSAGE_TOO_LARGE where the topic takes no batch of this size."""
        records = [Record(at, now.wall_ms, key, value) for at, (key, value) in enumerate(entry.encoded)]
        batch = encode_batch(
            records,
            compression=Compression.NONE if entry.is_marker else self.codec(),
            producer_id=entry.producer.id,
            producer_epoch=entry.producer.epoch,
            base_sequence=-1 if entry.is_marker else 0,
            is_transactional=not entry.producer.is_none,
            is_control=entry.is_marker,
        )
        limit = self.topic.max_batch_bytes(self.partition)
        if len(batch) > limit:
            raise KafkaError(ErrorCode.MESSAGE_TOO_LARGE, f"a batch of {len(batch)} bytes is over {limit}")
        return self.topic.append(self.partition, batch, epoch, now.wall_ms)
