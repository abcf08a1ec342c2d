"""One partition's log as a list of batches: judges and applies appends, reads, lookups by timestamp and deletions.

Kafka's documents: KIP-98 (idempotence), KIP-101 and KIP-320 (leader epochs), KIP-107 (deleting records), KIP-734 and
KIP-405 (special timestamps).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from harness.model.allowed import ANY, Complaints, expect, expect_code
from harness.model.batch import UNKNOWN_TIME, Written
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import MalformedRequest
from reference_broker.wire.records import Record, iter_batches

OK: Final = frozenset({int(ErrorCode.NONE)})
REMEMBERED: Final = 5
"""How many of a producer's last batches the log remembers to detect duplicates."""
LATEST, EARLIEST, LARGEST, EARLIEST_LOCAL, LATEST_TIERED = -1, -2, -3, -4, -5
SINCE: Final[Mapping[int, int]] = {LARGEST: 7, EARLIEST_LOCAL: 8, LATEST_TIERED: 9}
"""Special timestamp → first version of ListOffsets that knows it."""
SILENT_MS: Final = 86_400_000
"""producer.id.expiration.ms: the state of a producer that has written nothing for this long may be removed."""
LARGEST_SEQUENCE: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Stored:
    """A batch in the log."""

    base_offset: int
    records: tuple[Record, ...]
    """With the offsets and timestamps that consumers see."""
    has_known_times: bool = True
    """Whether the model knows the timestamps by which ListOffsets finds the batch."""

    @property
    def last_offset(self) -> int:
        """Offset of its last record."""
        return self.base_offset + len(self.records) - 1


@dataclass(slots=True)
class ProducerEntry:
    """The log's state of one idempotent producer."""

    epoch: int
    batches: list[tuple[int, int, int]] = field(default_factory=list)
    """(first sequence, last sequence, base offset) of its last batches, newest last."""
    certain: int = REMEMBERED
    """How many of the newest batches the broker certainly remembers: after a restart, only the last one."""
    latest_ms: int = -1
    """Largest timestamp of its last batch, from which producer.id.expiration.ms counts."""
    is_doubtful: bool = False
    """Whether the broker may already have removed this state."""


@dataclass(slots=True)
class PartitionLog:
    """A log with a single replica: its log end offset is its high watermark."""

    settings: Mapping[str, str]
    """The topic's effective configs, including defaults; the same dict as in the topic."""
    batches: list[Stored] = field(default_factory=list)
    start: int = 0
    end: int = 0
    producers: dict[int, ProducerEntry] = field(default_factory=dict)
    leader_epoch: int = 0
    has_restarted: bool = False
    """Whether the node has restarted, after which the leader epoch may be higher than `leader_epoch`."""

    # -- append -------------------------------------------------------------------------------------------------

    def refusals(self, batch: Written, now_ms: int) -> frozenset[int]:
        """The error codes with which a batch may be refused, whatever its sequence; empty if there is no reason."""
        codes = set(batch.faults)
        if batch.size > int(self.settings["max.message.bytes"]):
            codes.add(ErrorCode.MESSAGE_TOO_LARGE)
        if "compact" in self.settings["cleanup.policy"] and any(record.key is None for record in batch.records):
            codes.add(ErrorCode.INVALID_RECORD)
        if self.settings["message.timestamp.type"] == "CreateTime":
            oldest = now_ms - int(self.settings["message.timestamp.before.max.ms"])
            newest = now_ms + int(self.settings["message.timestamp.after.max.ms"])
            times = [record.timestamp for record in batch.records if record.timestamp != -1]
            if any(not oldest <= time <= newest for time in times):
                codes.add(ErrorCode.INVALID_TIMESTAMP)
        return frozenset(codes)

    def known(self, batch: Written) -> tuple[frozenset[int], int | None]:
        """(error codes that the producer's epoch and sequence allow, base offset if the batch is a duplicate).
        KIP-98."""
        if batch.producer_id < 0:
            return OK, None
        entry = self.producers.get(batch.producer_id)
        if entry is None:
            return OK, None
        last = _sequence(batch.base_sequence, len(batch.records) - 1)
        if entry.is_doubtful or entry.epoch < 0:  # without an epoch any sequence may be accepted
            same = [base for first, final, base in entry.batches if (first, final) == (batch.base_sequence, last)]
            codes = {ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, ErrorCode.INVALID_PRODUCER_EPOCH}
            return OK | codes, same[0] if same and batch.producer_epoch == entry.epoch else None
        if batch.producer_epoch == entry.epoch:
            for age, (first, final, base_offset) in enumerate(reversed(entry.batches)):
                if (first, final) == (batch.base_sequence, last):
                    if age < entry.certain:
                        return OK, base_offset
                    return OK | {ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER}, base_offset
        if batch.producer_epoch < entry.epoch:
            return frozenset({ErrorCode.INVALID_PRODUCER_EPOCH}), None
        expected = 0 if batch.producer_epoch > entry.epoch else _sequence(entry.batches[-1][1], 1)
        if batch.base_sequence != expected:
            return frozenset({ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER}), None
        return OK, None

    def append(self, batch: Written, append_time: int) -> int:
        """Appends a batch; returns its base offset. `append_time` is the LogAppendTime in ms, -1 for CreateTime."""
        base = self.end
        stamped = self.settings["message.timestamp.type"] == "LogAppendTime"
        self.batches.append(
            Stored(
                base,
                tuple(
                    record._replace(offset=base + index, timestamp=append_time if stamped else record.timestamp)
                    for index, record in enumerate(batch.records)
                ),
                append_time != UNKNOWN_TIME if stamped else not batch.is_doubtful,
            )
        )
        self.end += len(batch.records)
        if batch.producer_id >= 0:
            entry = self.producers.get(batch.producer_id)
            if entry is None or entry.is_doubtful or entry.epoch != batch.producer_epoch:
                entry = self.producers[batch.producer_id] = ProducerEntry(batch.producer_epoch)
            last = _sequence(batch.base_sequence, len(batch.records) - 1)
            entry.batches = [*entry.batches[1 - REMEMBERED :], (batch.base_sequence, last, base)]
            entry.certain = min(REMEMBERED, entry.certain + 1)
            entry.latest_ms = max(record.timestamp for record in self.batches[-1].records)
        return base

    def append_unseen(self, value: bytes) -> None:
        """Appends a record that a client library wrote; its timestamp and its batch are not known."""
        self.batches.append(Stored(self.end, (Record(self.end, UNKNOWN_TIME, None, value),), False))
        self.end += 1

    def produce(self, where: str, batch: Written, answer: Any, now_ms: int) -> Complaints:
        """Judges a partition's answer to a Produce, a PartitionProduceResponse, and appends the batch if accepted."""
        refused = self.refusals(batch, now_ms)
        allowed, earlier = self.known(batch)
        if batch.is_transactional:
            allowed = ANY
        elif refused:
            allowed = refused | (allowed if batch.is_doubtful else frozenset())
        elif batch.is_doubtful:
            allowed |= {ErrorCode.INVALID_RECORD, ErrorCode.CORRUPT_MESSAGE, ErrorCode.INVALID_TIMESTAMP}
        if batch.producer_id >= 0 > batch.producer_epoch:
            allowed |= {ErrorCode.UNKNOWN_SERVER_ERROR}  # Kafka cannot rewrite a batch with an id and no epoch
        yield from expect_code(where, answer.error_code, allowed)
        if answer.error_code:
            yield from expect(f"{where}: base offset of a refusal", answer.base_offset, -1)
            return
        entry = self.producers.get(batch.producer_id)
        is_doubtful = entry is not None and (entry.is_doubtful or entry.epoch < 0)
        if earlier is not None and not (is_doubtful and answer.base_offset == self.end):
            yield from expect(f"{where}: base offset of a batch that was appended before", answer.base_offset, earlier)
            return
        if self.settings["message.timestamp.type"] == "LogAppendTime":
            if abs(answer.log_append_time_ms - now_ms) > 60_000:
                yield f"{where}: log append time should be the time of the append, and is {answer.log_append_time_ms}"
        else:
            yield from expect(f"{where}: log append time", answer.log_append_time_ms, -1)
        base = self.append(batch, answer.log_append_time_ms)
        yield from expect(f"{where}: base offset", answer.base_offset, base)
        yield from expect(f"{where}: log start offset", answer.log_start_offset, self.start, -1)

    # -- leader epochs ------------------------------------------------------------------------------------------

    def epoch_codes(self, epoch: int) -> frozenset[int]:
        """The error codes allowed for a request with this current leader epoch; -1 means none is given. KIP-320."""
        if epoch < 0:  # some APIs also take values below -1 for none
            return OK if epoch == -1 else OK | {ErrorCode.FENCED_LEADER_EPOCH}
        if epoch < self.leader_epoch:
            return frozenset({ErrorCode.FENCED_LEADER_EPOCH})
        if self.has_restarted:
            return OK | {ErrorCode.FENCED_LEADER_EPOCH, ErrorCode.UNKNOWN_LEADER_EPOCH}
        return OK if epoch == self.leader_epoch else frozenset({ErrorCode.UNKNOWN_LEADER_EPOCH})

    def end_of_epoch(self, where: str, asked: Any, answer: Any) -> Complaints:
        """Judges a partition's answer to OffsetForLeaderEpoch."""
        yield from expect_code(where, answer.error_code, self.epoch_codes(asked.current_leader_epoch))
        if answer.error_code or self.has_restarted or asked.leader_epoch < -1:
            return
        is_known = asked.leader_epoch == self.leader_epoch
        yield from expect(f"{where}: end offset", answer.end_offset, self.end if is_known else -1)
        yield from expect(f"{where}: leader epoch", answer.leader_epoch, self.leader_epoch if is_known else -1)

    def restart(self, now_ms: int) -> None:
        """Applies a clean restart of the node."""
        self.has_restarted = True
        for entry in self.producers.values():
            entry.certain = min(entry.certain, 1)
            entry.is_doubtful = entry.is_doubtful or now_ms - entry.latest_ms >= SILENT_MS

    # -- read ---------------------------------------------------------------------------------------------------

    def offset_codes(self, offset: int) -> frozenset[int]:
        """The error codes allowed for a Fetch at this offset."""
        return OK if self.start <= offset <= self.end else frozenset({ErrorCode.OFFSET_OUT_OF_RANGE})

    def from_offset(self, offset: int) -> Iterator[Stored]:
        """The batches that a Fetch at this offset returns; the first may begin before it."""
        return (batch for batch in self.batches if batch.last_offset >= offset)

    def readable(self, offset: int) -> list[tuple[int, bytes | None]]:
        """(offset, value) of each record from an offset on."""
        records = [record for batch in self.from_offset(offset) for record in batch.records]
        return [(record.offset, record.value) for record in records if record.offset >= offset]

    def fetched(self, where: str, offset: int, data: Any, limit: int | None, must_come: bool) -> Complaints:
        """Judges the records that a Fetch returned for a partition.

        `limit` is in bytes, None for no limit; a single batch may exceed it. `must_come`: records must be returned if
        there are any.
        """
        raw = memoryview(b"" if data is None else data)
        try:
            found = list(iter_batches(raw))
            records = [tuple(batch.records()) for batch in found]
        except MalformedRequest as trouble:
            yield f"{where}: records that cannot be read: {trouble}"
            return
        expected = self.from_offset(offset)
        for batch, own in zip(found, records, strict=True):
            stored = next(expected, None)
            if stored is None:
                yield f"{where}: a batch at {batch.header.base_offset} that nobody wrote (the log ends at {self.end})"
                return
            if any(record.timestamp == UNKNOWN_TIME for record in stored.records):
                own = tuple(record._replace(timestamp=UNKNOWN_TIME) for record in own)
            yield from expect(f"{where}: the batch at {stored.base_offset}", own, stored.records)
            if not batch.crc_is_valid():
                yield f"{where}: the batch at {stored.base_offset} has a wrong checksum"
        if not found and must_come and offset < self.end:
            yield f"{where}: nothing from {offset}, where the log ends at {self.end}"
        if limit is not None and len(raw) > limit and len(found) > 1:
            yield f"{where}: {len(raw)} bytes in {len(found)} batches, where {limit} were asked for"

    def offset_at(self, where: str, asked: Any, answer: Any, version: int) -> Complaints:
        """Judges a partition's answer to ListOffsets."""
        if asked.timestamp < LATEST_TIERED or (asked.timestamp < 0 and version < SINCE.get(asked.timestamp, 0)):
            allowed = ANY if asked.timestamp < LATEST_TIERED else frozenset({int(ErrorCode.UNSUPPORTED_VERSION)})
            yield from expect_code(
                where, answer.error_code, allowed | (self.epoch_codes(asked.current_leader_epoch) - OK)
            )
            return
        yield from expect_code(where, answer.error_code, self.epoch_codes(asked.current_leader_epoch))
        if answer.error_code == ErrorCode.NONE:
            depends_on_times = asked.timestamp >= 0 or asked.timestamp == LARGEST
            if depends_on_times and not all(batch.has_known_times for batch in self.batches):
                return
            found = (answer.offset, answer.timestamp)
            yield from expect(
                f"{where}: (offset, timestamp) at time {asked.timestamp}", found, *self.at(asked.timestamp)
            )

    def at(self, timestamp: int) -> list[tuple[int, int]]:
        """The (offset, timestamp) pairs that ListOffsets may answer for a timestamp or a special one."""
        if timestamp == LATEST:
            return [(self.end, -1)]
        if timestamp in (EARLIEST, EARLIEST_LOCAL):
            return [(self.start, -1)]
        if timestamp == LATEST_TIERED:
            return [(-1, -1)]
        times = [(record.offset, record.timestamp) for batch in self.batches for record in batch.records]
        alive = [one for one in times if one[0] >= self.start]
        if timestamp == LARGEST:
            # Records below the log start offset stay in their segment, and Kafka may still answer one of them.
            largest = [max((time for _, time in some), default=-1) for some in (times, alive)]
            return [one for one in times if one[1] in largest] + [(-1, -1)] * (not alive or largest[1] < 0)
        # Kafka searches one segment only; with negative timestamps it may choose one too early, and find nothing.
        may_miss = self.start > 0 and any(time < 0 for _, time in times)
        return [one for one in alive if one[1] >= timestamp][:1] + [(-1, -1)] * may_miss or [(-1, -1)]

    # -- delete -------------------------------------------------------------------------------------------------

    def delete(self, where: str, offset: int, answer: Any) -> Complaints:
        """Judges a partition's answer to DeleteRecords, and advances the log start offset."""
        allowed = OK if -1 <= offset <= self.end else frozenset({ErrorCode.OFFSET_OUT_OF_RANGE})
        if "delete" not in self.settings["cleanup.policy"]:
            allowed = frozenset({ErrorCode.POLICY_VIOLATION})
        yield from expect_code(where, answer.error_code, allowed)
        if not answer.error_code:
            self.start = max(self.start, self.end if offset == -1 else offset)
        wanted = -1 if answer.error_code else self.start
        yield from expect(f"{where}: low watermark", answer.low_watermark, wanted)


def _sequence(first: int, by: int) -> int:
    """The sequence number `by` after `first`; after LARGEST_SEQUENCE comes 0."""
    return (first + by) % (LARGEST_SEQUENCE + 1)
