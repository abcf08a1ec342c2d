"""One round of compaction over one log, a part at a time: the traffic goes on in between."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from reference_broker.log.compaction.filtering import LastRecord, Rules, filtered
from reference_broker.log.compaction.offset_map import OffsetMap
from reference_broker.log.compaction.plan import Plan, groups
from reference_broker.log.compaction.record_columns import AT_ONCE, columns_of
from reference_broker.log.compaction.swap import CLEANED, SWAP, replace
from reference_broker.log.compaction.transactions import Transactions
from reference_broker.log.flushing import FolderFlush, SegmentFlush
from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.segment import Segment
from reference_broker.wire.primitives import MalformedRequest
from reference_broker.wire.records import Batch, iter_batches

SLICE_BYTES: Final = 64 * 1024
"""What is read at once, but for a batch that is larger."""
BATCH_WORK: Final = 6
"""What a batch takes beside its records: as much as so many of them."""
Step = int | Sequence[SegmentFlush | FolderFlush]
"""What a round has come to: so many bytes read or written, or something to flush before it goes on."""
Part = int | Sequence[SegmentFlush | FolderFlush]
"""The same before small parts are put together: how much work was done, in records."""


class Uncleanable(Exception):
    """Something of the log cannot be read; the text says what and where."""


class Abandoned(Exception):
    """The log was cut, or is gone: what was begun counts for nothing."""


@dataclass(slots=True)
class Round:
    """`steps` does the work; whatever came of it, `end` is called after it.

    `size_before` and `size_after` are bytes of the segments that were put together until now, and of what they became.
    """

    log: PartitionLog
    plan: Plan
    offsets: OffsetMap
    size_before: int = 0
    size_after: int = 0
    _truncations: int = 0
    _made: Segment | None = None
    _bytes: int = 0
    _place: tuple[Segment, int] = field(init=False)

    def __post_init__(self) -> None:
        self._truncations = self.log.truncations
        self.log.is_compacting = True

    @property
    def end_offset(self) -> int:
        """Up to where the log is clean after the round: where the map was full, a part is left for the next."""
        return self.offsets.latest_offset + 1

    def steps(self, now_ms: int) -> Iterator[Step]:
        """The parts of the work, each well below a millisecond long. Uncleanable, Abandoned, OSError."""
        done = 0
        try:
            for part in self._parts(now_ms):
                if not isinstance(part, int):
                    yield part
                    continue
                done += part
                if done >= AT_ONCE or self._bytes >= SLICE_BYTES:  # so that a throttle can count, too
                    done = 0
                    yield self._bytes_since()
        except MalformedRequest as error:
            segment, position = self._place
            raise Uncleanable(f"{segment.stem}.log cannot be read from byte {position} on: {error}") from error
        yield self._bytes_since()

    def _bytes_since(self) -> int:
        """What was read and written since the last step."""
        count, self._bytes = self._bytes, 0
        return count

    def _parts(self, now_ms: int) -> Iterator[Part]:
        log = self.log
        yield from self._read_keys()
        transactions = Transactions()
        rules = Rules(
            offsets=self.offsets,
            now_ms=now_ms,
            delete_retention_ms=log.config.delete_retention_ms,
            end_offset=self.plan.end,
            last_records={
                producer.producer_id: LastRecord(
                    producer.batches[-1].last_offset if producer.batches else None, producer.epoch
                )
                for producer in log.producers.producers.values()
            },
        )
        for group in groups(log, self.end_offset):
            yield from self._rewrite(group, rules, transactions, now_ms)

    def end(self) -> None:
        """Let retention go on; what was made and does not count is removed."""
        self.log.is_compacting = False
        if self._made is not None:
            made, self._made = self._made, None
            made.remove()

    def _read_keys(self) -> Iterator[Part]:
        """Every key from the first dirty offset on; ends early where the map is full."""
        start, end, offsets = self.plan.first_dirty, self.plan.end, self.offsets
        segments = [one for one in self.log.segments if one.base_offset < end]
        transactions = Transactions()
        for segment, following in zip(segments, [*(one.base_offset for one in segments[1:]), end], strict=False):
            if following <= start:
                continue
            transactions.expect(segment.aborted.entries)
            for batch in self._read(segment, segment.position_of(max(start, segment.base_offset))):
                if not (yield from self._note(batch, start, transactions)):
                    return
                yield BATCH_WORK
            offsets.latest_offset = following - 1

    def _note(self, batch: Batch, start: int, transactions: Transactions) -> Generator[int, None, bool]:
        """Take a batch into the map; False where it has no room for all of it."""
        header, offsets = batch.header, self.offsets
        if header.is_control:
            transactions.is_unneeded(batch)
        elif not transactions.is_aborted(header):
            for columns in columns_of(bytes(batch.payload()), header.records_count):
                if header.base_offset < start:
                    columns.keep([header.base_offset + delta >= start for delta in columns.offset_deltas])
                if not offsets.put_all(columns.keys, header.base_offset, columns.offset_deltas):
                    return False
                yield len(columns)
        offsets.latest_offset = max(offsets.latest_offset, header.last_offset)
        return True

    def _rewrite(
        self, group: Sequence[Segment], rules: Rules, transactions: Transactions, now_ms: int
    ) -> Iterator[Part]:
        """Make one segment of some, and put it into their place."""
        log = self.log
        made = self._made = Segment(log.disk, log.directory, group[0].base_offset, log.config, suffix=CLEANED)
        made.cut(0)
        for segment in group:
            transactions.expect(segment.aborted.entries)
            for batch in self._read(segment, 0):
                kept = yield from filtered(batch, rules, transactions)
                if kept is not None:
                    header, data = kept
                    made.append(header, (data,))
                    self._bytes += header.size_in_bytes
                yield BATCH_WORK
        for transaction in transactions.still_there:
            made.aborted.add(transaction)
        transactions.still_there.clear()
        made.finish()
        yield [SegmentFlush(made)]
        self._check()
        made.change_suffix(SWAP)
        yield [FolderFlush(log.disk, log.directory)]
        self._check()
        self.size_before += sum(segment.size for segment in group)
        self.size_after += made.size
        replace(log, group, made, now_ms)
        self._made = None
        yield [FolderFlush(log.disk, log.directory)]

    def _read(self, segment: Segment, position: int) -> Iterator[Batch]:
        """The batches of a segment from a position on. MalformedRequest where something else stands at `_place`."""
        size = SLICE_BYTES
        while position < segment.size:
            self._check()
            self._place = segment, position
            begin = position
            for batch in iter_batches(segment.file.read_at(position, size)):
                if not batch.crc_is_valid():
                    raise MalformedRequest("a batch does not match its checksum")
                yield batch
                position += batch.header.size_in_bytes
                self._bytes += batch.header.size_in_bytes
                self._place = segment, position
            if position > begin:
                size = SLICE_BYTES
            elif size == SLICE_BYTES and (whole := segment.size_of_batch_at(position)) > size:
                size = whole
            else:
                raise MalformedRequest("there is no batch")

    def _check(self) -> None:
        if self.log.truncations != self._truncations:
            raise Abandoned
