"""What the log knows of its idempotent producers: their last sequences, to recognise a retry (KIP-98, KIP-360)."""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple, NoReturn

import crc32c

from reference_broker.environment import Disk
from reference_broker.wire.codec import decode, encode_bytes
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.messages.producer_snapshot import ProducerEntry, ProducerSnapshot
from reference_broker.wire.primitives import MalformedRequest
from reference_broker.wire.records import TRANSACTIONAL, Batch, BatchHeader
from reference_broker.wire.refusal import KafkaError

REMEMBERED_BATCHES = 5
MARKER_ABORT, MARKER_COMMIT = 0, 1
SNAPSHOT_VERSION = 1
SNAPSHOT_CRC_FROM = 6


class Marker(NamedTuple):
    """What a transaction marker says."""

    is_commit: bool
    coordinator_epoch: int


def marker_of(batch: Batch) -> Marker | None:
    """The transaction marker in a control batch; None where it holds another kind of control record."""
    record = next(batch.records(), None)
    if record is None or record.key is None or len(record.key) < 4:
        return None
    kind = int.from_bytes(record.key[2:4], "big")
    if kind not in (MARKER_ABORT, MARKER_COMMIT):
        return None
    epoch = int.from_bytes((record.value or b"")[2:6] or b"\xff", "big", signed=True)
    return Marker(kind == MARKER_COMMIT, epoch)


class BatchSeen(NamedTuple):
    """One appended batch of a producer."""

    first_sequence: int
    last_sequence: int
    first_offset: int
    last_offset: int
    timestamp: int


class Completed(NamedTuple):
    """A transaction that a marker ended: `last_offset` is the marker's."""

    producer_id: int
    first_offset: int
    last_offset: int
    is_aborted: bool


@dataclass(slots=True)
class Verification:
    """That the coordinator of a producer's transaction is being asked whether this partition belongs to it (KIP-890).

    It stays when the coordinator does not agree: what the producer then sends must not begin above the lowest sequence
    that was refused.
    """

    epoch: int
    lowest_sequence: int
    since_ms: int
    begins_at_zero: bool
    """Whether a producer that the log does not know must begin with sequence 0: since 4.1, by Produce 12 and later."""


@dataclass(slots=True)
class Producer:
    """One producer id on one partition."""

    producer_id: int
    epoch: int
    last_timestamp: int = -1
    coordinator_epoch: int = -1
    first_offset_of_transaction: int = -1
    batches: deque[BatchSeen] = field(default_factory=lambda: deque(maxlen=REMEMBERED_BATCHES))

    @property
    def last_sequence(self) -> int:
        """Sequence of the last record, -1 after a new epoch."""
        return self.batches[-1].last_sequence if self.batches else -1

    @property
    def last_offset(self) -> int:
        """Offset of the last record, -1 when unknown."""
        return self.batches[-1].last_offset if self.batches else -1


class ProducerState:
    """All producers of one partition."""

    def __init__(self) -> None:
        self.producers: dict[int, Producer] = {}
        self.completed: list[Completed] = []
        self.verifications: dict[int, Verification] = {}
        self.has_transactions = False

    @property
    def first_ongoing_offset(self) -> int:
        """First record of the oldest open transaction; -1 without any."""
        firsts = [p.first_offset_of_transaction for p in self.producers.values() if p.first_offset_of_transaction >= 0]
        return min(firsts, default=-1)

    def first_unstable_offset(self, high_watermark: int) -> int:
        """First record of a transaction that is open, or whose marker is not yet replicated; -1 without any."""
        if not self.has_transactions:
            return -1
        self.completed = [one for one in self.completed if one.last_offset >= high_watermark]
        firsts = [one.first_offset for one in self.completed]
        ongoing = self.first_ongoing_offset
        return min(firsts if ongoing < 0 else [*firsts, ongoing], default=-1)

    def find_duplicate(self, header: BatchHeader) -> BatchSeen | None:
        """The remembered batch that this one repeats, or None."""
        producer = self.producers.get(header.producer_id)
        if producer is None or producer.epoch != header.producer_epoch:
            return None
        first = header.base_sequence
        for seen in producer.batches:
            if seen.first_sequence == first and seen.last_sequence == header.last_sequence:
                return seen
        return None

    def begin_verification(
        self, header: BatchHeader, now_ms: int, *, begins_at_zero: bool, checks_epoch: bool = True
    ) -> bool:
        """Note that a batch waits for the coordinator of its transaction; False where it need not, as that is open.

        INVALID_PRODUCER_EPOCH for an older epoch, where that is checked.
        """
        producer = self._current(header) if checks_epoch else self.producers.get(header.producer_id)
        if (
            producer is not None
            and producer.epoch == header.producer_epoch
            and producer.first_offset_of_transaction >= 0
        ):
            return False
        found = self.verifications.get(header.producer_id)
        if found is None:
            self.verifications[header.producer_id] = Verification(
                header.producer_epoch, header.base_sequence, now_ms, begins_at_zero
            )
        elif header.producer_epoch > found.epoch:
            found.epoch, found.lowest_sequence = header.producer_epoch, header.base_sequence
        elif header.producer_epoch == found.epoch:
            found.lowest_sequence = min(found.lowest_sequence, header.base_sequence)
        return True

    def check(self, header: BatchHeader) -> None:
        """Refuse a batch that does not follow its producer's last one.

        INVALID_PRODUCER_EPOCH for an older epoch, OUT_OF_ORDER_SEQUENCE_NUMBER for a gap. A producer that the log does
        not know (never seen, or expired) may start anywhere, as in Kafka, unless it was to be verified.
        """
        producer = self.producers.get(header.producer_id)
        if producer is not None and header.producer_epoch < producer.epoch:
            self._refuse_epoch(header, producer)
        if self.verifications:
            self._check_verified(header)
        if producer is None:
            return
        if producer.epoch < 0:
            return  # what was first written without an epoch may go on anywhere, as in Kafka
        if header.producer_epoch > producer.epoch:
            expected = 0
        else:
            batches = producer.batches
            expected = (batches[-1].last_sequence + 1) & 0x7FFFFFFF if batches else 0
        if header.base_sequence != expected:
            raise KafkaError(
                ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
                f"producer {header.producer_id} sends sequence {header.base_sequence}, {expected} was to come",
            )

    def _current(self, header: BatchHeader) -> Producer | None:
        """A batch's producer, None where the log does not know it. INVALID_PRODUCER_EPOCH for an older epoch."""
        producer = self.producers.get(header.producer_id)
        if producer is not None and header.producer_epoch < producer.epoch:
            self._refuse_epoch(header, producer)
        return producer

    def _refuse_epoch(self, header: BatchHeader, producer: Producer) -> NoReturn:
        raise KafkaError(
            ErrorCode.INVALID_PRODUCER_EPOCH,
            f"producer {header.producer_id} sends with epoch {header.producer_epoch}, {producer.epoch} is current",
        )

    def _check_verified(self, header: BatchHeader) -> None:
        found = self.verifications.get(header.producer_id)
        if found is None:
            return
        highest = found.lowest_sequence
        if found.begins_at_zero and header.producer_id not in self.producers:
            highest = min(highest, 0)
        if header.base_sequence > highest:
            raise KafkaError(
                ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
                f"producer {header.producer_id} sends sequence {header.base_sequence}, {highest} was not yet written",
            )

    def note(self, header: BatchHeader) -> None:
        """Remember an appended batch."""
        producer = self.producers.get(header.producer_id)
        if producer is None:
            producer = self.producers[header.producer_id] = Producer(header.producer_id, header.producer_epoch)
        elif producer.epoch != header.producer_epoch:
            producer.epoch = header.producer_epoch
            producer.batches.clear()
        producer.last_timestamp = header.max_timestamp
        if header.attributes & TRANSACTIONAL:
            self.verifications.pop(header.producer_id, None)
            if producer.first_offset_of_transaction < 0:
                producer.first_offset_of_transaction = header.base_offset
                self.has_transactions = True
        first, last_sequence = header.base_offset, header.last_sequence
        last = first + header.last_offset_delta
        seen: BatchSeen = tuple.__new__(
            BatchSeen, (header.base_sequence, last_sequence, first, last, header.max_timestamp)
        )
        producer.batches.append(seen)

    def complete(self, header: BatchHeader, marker: Marker) -> Completed | None:
        """Take a marker that was appended; the transaction that it ended, None when none was open."""
        producer = self.producers.get(header.producer_id)
        if producer is None:
            producer = self.producers[header.producer_id] = Producer(header.producer_id, header.producer_epoch)
        elif producer.epoch != header.producer_epoch:
            producer.epoch = header.producer_epoch
            producer.batches.clear()
        first, producer.first_offset_of_transaction = producer.first_offset_of_transaction, -1
        producer.last_timestamp = header.max_timestamp
        producer.coordinator_epoch = max(producer.coordinator_epoch, marker.coordinator_epoch)
        if first < 0:
            return None
        done = Completed(header.producer_id, first, header.last_offset, is_aborted=not marker.is_commit)
        self.completed.append(done)
        return done

    def expire(self, up_to_ms: int) -> None:
        """Forget producers whose last record is not younger, unless a transaction of theirs is open."""
        silent = [
            p.producer_id
            for p in self.producers.values()
            if p.last_timestamp <= up_to_ms and p.first_offset_of_transaction < 0
        ]
        for producer_id in silent:
            del self.producers[producer_id]
        for producer_id in [one for one, found in self.verifications.items() if found.since_ms <= up_to_ms]:
            del self.verifications[producer_id]

    def clear(self) -> None:
        """Know nobody, as before the first batch."""
        self.producers.clear()
        self.completed.clear()
        self.has_transactions = False

    def write_snapshot(self, disk: Disk, path: str) -> None:
        """Keep the last batch of each producer, in Kafka's format. A crash may spoil it: its checksum tells then."""
        entries = tuple(
            ProducerEntry(
                producer_id=producer.producer_id,
                epoch=producer.epoch,
                last_sequence=producer.last_sequence,
                last_offset=producer.last_offset,
                offset_delta=producer.batches[-1].last_offset - producer.batches[-1].first_offset
                if producer.batches
                else 0,
                timestamp=producer.last_timestamp,
                coordinator_epoch=producer.coordinator_epoch,
                current_txn_first_offset=producer.first_offset_of_transaction,
            )
            for producer in self.producers.values()
        )
        raw = bytearray(struct.pack(">h", SNAPSHOT_VERSION))
        raw += encode_bytes(ProducerSnapshot(producer_entries=entries), SNAPSHOT_VERSION)
        raw[2:SNAPSHOT_CRC_FROM] = crc32c.crc32c(raw[SNAPSHOT_CRC_FROM:]).to_bytes(4, "big")
        disk.write_plainly(path, bytes(raw))

    def load_snapshot(self, disk: Disk, path: str) -> None:
        """Take over what a snapshot holds. MalformedRequest when it is corrupt."""
        raw = disk.read(path)
        if len(raw) < SNAPSHOT_CRC_FROM or raw[:2] != struct.pack(">h", SNAPSHOT_VERSION):
            raise MalformedRequest(f"{path} is no producer snapshot of version {SNAPSHOT_VERSION}")
        snapshot = decode(ProducerSnapshot, SNAPSHOT_VERSION, raw[2:])
        if snapshot.crc != crc32c.crc32c(raw[SNAPSHOT_CRC_FROM:]):
            raise MalformedRequest(f"{path} does not match its checksum")
        self.clear()
        for entry in snapshot.producer_entries:
            producer = Producer(
                entry.producer_id,
                entry.epoch,
                entry.timestamp,
                entry.coordinator_epoch,
                entry.current_txn_first_offset,
            )
            if entry.last_sequence >= 0:
                first = (entry.last_sequence - entry.offset_delta) & 0x7FFFFFFF
                producer.batches.append(
                    BatchSeen(
                        first,
                        entry.last_sequence,
                        entry.last_offset - entry.offset_delta,
                        entry.last_offset,
                        entry.timestamp,
                    )
                )
            self.producers[entry.producer_id] = producer
            self.has_transactions |= entry.current_txn_first_offset >= 0
