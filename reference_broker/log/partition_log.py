"""A partition's log: segments in a folder, appended to at the end, read anywhere, cut at both ends."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence

from reference_broker.environment import Disk, Random
from reference_broker.log import replication, retention
from reference_broker.log.awaited_flush import AwaitedFlush
from reference_broker.log.checkpoints import write_topic_id_plainly
from reference_broker.log.config import LogConfig
from reference_broker.log.flushing import flush_now, write_id_durably
from reference_broker.log.leader_epochs import LeaderEpochs
from reference_broker.log.producer_replay import take_marker
from reference_broker.log.producer_state import Producer, ProducerState
from reference_broker.log.rolling import Rolling
from reference_broker.log.segment import Segment
from reference_broker.log.time_search import OffsetAtTime, first_at
from reference_broker.log.transaction_index import AbortedTransaction
from reference_broker.log.validation import only_batch, validate
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import Buffer, FileSlice, Frozen, Uuid
from reference_broker.wire.records import (
    CONTROL,
    LOG_APPEND_TIME,
    NO_PRODUCER_ID,
    Batch,
    BatchHeader,
    iter_batches,
    parse_batch_header,
)
from reference_broker.wire.refusal import KafkaError

STAMP = struct.Struct(">qii")
STAMP_SIZE = STAMP.size


class Appended(Frozen, frozen=True):
    """Where a batch came to stand. `log_append_time_ms` is -1 where the client's own timestamps count.

    For a duplicate it is the first one's largest timestamp in any case, as in Kafka.
    """

    first_offset: int
    last_offset: int
    log_append_time_ms: int
    log_start_offset: int
    is_duplicate: bool = False


class Fetched(Frozen, frozen=True):
    """Whole batches from a log as parts of its files, `size` bytes in all, from one segment; None where it is empty.

    `is_cut_short` says that it is empty because the first batch has more bytes than were asked for.
    """

    slices: tuple[FileSlice, ...] = ()
    size: int = 0
    segment: Segment | None = None
    is_cut_short: bool = False


NOTHING = Fetched()
CUT_SHORT = Fetched(is_cut_short=True)


class PartitionLog:
    """Made by `recovery.open_log`. Every method may raise OSError: then the folder's state is in doubt."""

    def __init__(
        self,
        *,
        disk: Disk,
        directory: str,
        topic: str,
        partition: int,
        topic_id: Uuid,
        config: LogConfig,
        segments: list[Segment],
        producers: ProducerState,
        epochs: LeaderEpochs,
        log_start_offset: int,
        recovery_point: int,
        random: Random | None = None,
    ) -> None:
        self.disk, self.directory = disk, directory
        self.topic, self.partition, self.topic_id = topic, partition, topic_id
        self.name = f"{topic}-{partition}"
        self.config, self.producers, self.epochs = config, producers, epochs
        self.segments = segments
        self.log_start_offset, self.recovery_point = log_start_offset, recovery_point
        self.log_end_offset = segments[-1].next_offset
        self.high_watermark = self.log_end_offset
        self.last_flush_ms = 0
        self.doomed: list[tuple[int, Segment]] = []
        self.rolling = Rolling(config, random)
        self.has_new_files = True
        self.is_id_written = self.is_id_durable = True
        """Whether partition.metadata is there, and stays there after a loss of power. A new log needs none before its
        first record."""
        self.on_first_record: Callable[[], None] = lambda: None
        self.truncations = 0
        self.awaited_flush = AwaitedFlush()
        self.is_compacting = False

    # -- writing ------------------------------------------------------------------------------------------------

    def append_from_client(self, records: Buffer, leader_epoch: int, now_ms: int) -> Appended:
        """Validate a client's batch and append it; a batch that was appended before is answered, not repeated."""
        return self.append_batch(only_batch(records), leader_epoch, now_ms)

    def append_batch(self, batch: Batch, leader_epoch: int, now_ms: int) -> Appended:
        """The same for a batch whose bounds are known."""
        valid = validate(batch, self.config, now_ms, self.name)
        header = valid.header
        if self.rolling.is_due(self.segments[-1], header, self.log_end_offset, now_ms):
            self.roll(now_ms)  # like Kafka, also for a batch that is then refused, or there already
        if header.producer_id > NO_PRODUCER_ID:
            seen = self.producers.find_duplicate(header)
            if seen is not None:
                return Appended(
                    first_offset=seen.first_offset,
                    last_offset=seen.last_offset,
                    log_append_time_ms=seen.timestamp,
                    log_start_offset=self.log_start_offset,
                    is_duplicate=True,
                )
            self.producers.check(header)
        return self._append(header, valid.data, leader_epoch, now_ms)

    def append_own(self, batch: Buffer, leader_epoch: int, now_ms: int) -> Appended:
        """Append a batch that this node made itself: a coordinator's or the controller's records, a marker."""
        header = parse_batch_header(batch)
        if self.rolling.is_due(self.segments[-1], header, self.log_end_offset, now_ms):
            self.roll(now_ms)
        return self._append(header, batch, leader_epoch, now_ms)

    def _append(self, header: BatchHeader, data: Buffer, leader_epoch: int, now_ms: int) -> Appended:
        first = self.log_end_offset
        stamp = (first, header.batch_length, leader_epoch)
        header = tuple.__new__(BatchHeader, (*stamp, *header[3:]))
        self._write(header, (STAMP.pack(*stamp), memoryview(data)[STAMP_SIZE:]), data, now_ms)
        return Appended(
            first_offset=first,
            last_offset=first + header.last_offset_delta,
            log_append_time_ms=header.max_timestamp if header.attributes & LOG_APPEND_TIME else -1,
            log_start_offset=self.log_start_offset,
        )

    def append_as_follower(self, records: Buffer, leader_epoch: int, now_ms: int) -> int:
        """Append batches as the leader wrote them; the number of bytes. CORRUPT_MESSAGE: see `replication`."""
        return replication.append_as_follower(self, records, leader_epoch, now_ms)

    def append_as_it_is(self, batch: Batch, now_ms: int) -> None:
        """Append a batch whose offsets, leader epoch and checksum are right."""
        if self.rolling.is_due(self.segments[-1], batch.header, self.log_end_offset, now_ms):
            self.roll(now_ms)
        self._write(batch.header, (batch.data,), batch.data, now_ms)

    def _write(self, header: BatchHeader, buffers: Sequence[Buffer], data: Buffer, now_ms: int) -> None:
        if not self.is_id_written:
            self._write_id()
            self.on_first_record()
        segment = self.segments[-1]
        segment.append(header, buffers)
        self.log_end_offset = segment.next_offset
        entries = self.epochs.entries
        if not entries or header.partition_leader_epoch > entries[-1][0]:
            self.epochs.assign(header.partition_leader_epoch, header.base_offset)
        if header.producer_id > NO_PRODUCER_ID:
            if header.attributes & CONTROL:
                take_marker(segment, self.producers, header, Batch(header, memoryview(data)))
            else:
                self.producers.note(header)
        if self.log_end_offset - self.recovery_point >= self.config.flush_messages:
            self.awaited_flush.ask(self, now_ms)

    def _write_id(self) -> None:
        write_topic_id_plainly(self.disk, self.directory, self.topic_id)
        self.is_id_written = True

    def roll(self, now_ms: int) -> None:
        """Close the last segment and begin another at the log's end. What was closed is flushed later, as in Kafka."""
        self.segments[-1].finish()
        self._write_snapshot()
        self.segments.append(Segment(self.disk, self.directory, self.log_end_offset, self.config))
        self.has_new_files = True
        self.rolling.begin(now_ms)

    def _write_snapshot(self) -> None:
        self.producers.write_snapshot(self.disk, f"{self.directory}/{self.log_end_offset:020d}.snapshot")

    # -- reading ------------------------------------------------------------------------------------------------

    def segment_of(self, offset: int) -> int:
        """Index of the segment that holds an offset, or would."""
        if offset >= self.segments[-1].base_offset:
            return len(self.segments) - 1  # as for nearly every reader
        return max(0, bisect_right(self.segments, offset, key=lambda segment: segment.base_offset) - 1)

    def read(self, offset: int, max_bytes: int, up_to: int, *, at_least_one_batch: bool) -> Fetched:
        """Whole batches from the one that holds `offset`, none of it at or beyond `up_to`, at most `max_bytes`.

        `at_least_one_batch` lets the first batch exceed the limit, so that a reader always gets on (KIP-74).
        OFFSET_OUT_OF_RANGE below the log's start or above its end; UNKNOWN_SERVER_ERROR for a limit below 0.
        """
        if not self.log_start_offset <= offset <= self.log_end_offset:
            raise KafkaError(
                ErrorCode.OFFSET_OUT_OF_RANGE,
                f"offset {offset} is outside {self.log_start_offset}..{self.log_end_offset}",
            )
        if offset >= up_to:
            return NOTHING
        for segment in self.segments[self.segment_of(offset) :]:
            start = segment.position_of(offset)
            stop = segment.size if up_to >= segment.next_offset else segment.position_of(up_to)
            if start >= stop:
                continue
            if max_bytes < 0:
                raise KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, f"{max_bytes} is no number of bytes to read")
            size = min(stop - start, max_bytes)
            if size < stop - start or size < 12:
                size = self._whole_batches(segment, start, size, at_least_one_batch=at_least_one_batch)
            if not size:
                return CUT_SHORT if max_bytes else NOTHING
            return Fetched((segment.file.slice(start, size),), size, segment)
        return NOTHING

    def _whole_batches(self, segment: Segment, start: int, size: int, *, at_least_one_batch: bool) -> int:
        """A fetch that ends inside a batch sends the part (clients drop it), but the first batch whole if asked."""
        first = segment.size_of_batch_at(start)
        if first <= size:
            return size if first else 0
        return first if at_least_one_batch else 0

    def place_of(self, offset: int) -> tuple[Segment, int]:
        """The segment and the position at which a read from an offset begins; the log's end for what is beyond it."""
        if offset >= self.log_end_offset:
            last = self.segments[-1]
            return last, last.size
        segment = self.segments[self.segment_of(offset)]
        return segment, segment.position_of(offset)

    def batches_from(self, offset: int) -> Iterator[Batch]:
        """Every batch that ends at or after an offset, read into memory one by one."""
        for segment in self.segments[self.segment_of(offset) :]:
            for position, header in segment.headers_from(segment.position_of(offset)):
                (batch,) = iter_batches(segment.read_batch(position, header))
                yield batch

    def offset_at_time(self, timestamp: int) -> OffsetAtTime | None:
        """The first record with this timestamp or a later one; None when there is none."""
        return first_at(self.segments, timestamp, self.log_start_offset)

    def offset_of_max_timestamp(self) -> OffsetAtTime | None:
        """The first record with the largest timestamp (KIP-734); None for an empty log.

        Also one below the log's start, while its segment is there, as in Kafka. None as well where all records are
        earlier than -1, "no time", which their batches then claim.
        """
        return first_at(self.segments, max(segment.max_timestamp for segment in self.segments))

    @property
    def size(self) -> int:
        """Bytes in all segments' log files."""
        return sum(segment.size for segment in self.segments)

    @property
    def last_stable_offset(self) -> int:
        """The end of what a read_committed consumer may see: no record of an open transaction lies before it."""
        if not self.producers.has_transactions:
            return self.high_watermark
        unstable = self.producers.first_unstable_offset(self.high_watermark)
        return self.high_watermark if unstable < 0 else min(unstable, self.high_watermark)

    def aborted_transactions(self, offset: int, fetched: Fetched) -> list[AbortedTransaction]:
        """The aborted transactions with records among those fetched from an offset on, for a read_committed reader.

        Like Kafka it takes the end of what was fetched from the offset index, which may be later than it is.
        """
        if fetched.segment is None:
            return []
        at = self.segments.index(fetched.segment)
        (piece,) = fetched.slices
        up_to = fetched.segment.offset_at_or_after(piece.position + piece.size)
        if up_to is None:
            is_last = at + 1 == len(self.segments)
            up_to = self.log_end_offset if is_last else self.segments[at + 1].base_offset
        following = self.segments[self.segment_of(offset) :]
        return [entry for segment in following for entry in segment.aborted.between(offset, up_to)]

    def end_offset_for_epoch(self, epoch: int) -> tuple[int, int]:
        """(largest epoch not above the one asked for, where it ended); (-1, -1) for one that is unknown here."""
        return self.epochs.end_offset_for(epoch, self.log_end_offset)

    def active_producers(self) -> list[Producer]:
        """The producers that the log knows, by id."""
        return [self.producers.producers[producer_id] for producer_id in sorted(self.producers.producers)]

    # -- ends ---------------------------------------------------------------------------------------------------

    def raise_log_start(self, offset: int) -> None:
        """Records below the offset are gone for readers; the next retention deletes the segments wholly below it."""
        if offset > self.log_start_offset:
            self.log_start_offset = offset
            self.epochs.cut_from_start(offset)

    def advance_log_start(self, offset: int, now_ms: int) -> None:
        """Records below the offset are gone; segments wholly below it are deleted."""
        self.raise_log_start(offset)
        retention.delete_below_start(self, now_ms)

    def delete_old_segments(self, now_ms: int) -> int:
        """Retention: what lies below the log's start, and by size and time (policy delete); how many segments went."""
        return retention.delete_old_segments(self, now_ms)

    def tidy(self, now_ms: int) -> None:
        """Bring the files of the indexes up to date; remove those of deleted segments whose delay is over."""
        if self.segments[-1].size:
            self.segments[-1].keep_indexes()
        due = [one for one in self.doomed if one[0] <= now_ms]  # in no order: the delay may have been shortened
        for one in due:
            one[1].remove()
            self.doomed.remove(one)

    def is_overdue(self, now_ms: int) -> bool:
        """Whether flush.ms have passed since the last flush."""
        return now_ms - self.last_flush_ms >= self.config.flush_ms

    def truncate_to(self, offset: int) -> None:
        """Drop the batch that holds an offset and all after it."""
        replication.truncate_to(self, offset)

    def truncate_fully(self, start_offset: int) -> None:
        """Drop everything; the log goes on at an offset that may be beyond its end."""
        replication.truncate_fully(self, start_offset)

    # -- rest ---------------------------------------------------------------------------------------------------

    def flush(self, now_ms: int) -> None:
        """Bring what was appended since the last flush to stable storage."""
        flush_now(self)
        self.last_flush_ms = now_ms

    def set_high_watermark(self, offset: int) -> None:
        """What readers may see ends here; kept between the log's start and its end."""
        self.high_watermark = min(max(offset, self.log_start_offset), self.log_end_offset)

    def close(self, now_ms: int) -> None:
        """Flush, keep the small files and the producers' state, release every file."""
        self.flush(now_ms)
        if self.is_id_written:
            write_id_durably(self)
            self.epochs.write()
        else:
            self._write_id()
        self.keep_producers()
        self.release()

    def keep_producers(self) -> None:
        """Write the producers' state at the log's end."""
        if self.log_end_offset > self.log_start_offset:
            self._write_snapshot()

    def release(self) -> None:
        """Write the indexes and release every file, without a flush."""
        for segment in self.segments:
            segment.close()
        for _, segment in self.doomed:
            segment.remove()
        self.doomed.clear()

    def reconfigure(self, config: LogConfig) -> None:
        """Let other settings count from now on."""
        self.config = config
        self.rolling.reconfigure(config)
        for segment in self.segments:
            segment.reconfigure(config)

    def abandon(self) -> None:
        """Release every file and write nothing: the folder is going, or its disk is broken."""
        for segment in self.segments:
            segment.file.close()
        for _, segment in self.doomed:
            segment.file.close()
        self.doomed.clear()
