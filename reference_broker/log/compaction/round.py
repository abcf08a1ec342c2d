"""One round of compaction over one log, a part at a time: the traffic goes on in between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from reference_broker.log.compaction.filtering import LastRecord, Rules, filtered, spans_of
from reference_broker.log.compaction.offset_map import OffsetMap
from reference_broker.log.compaction.plan import Plan, groups
from reference_broker.log.compaction.swap import CLEANED, SWAP, replace
from reference_broker.log.compaction.transactions import Transactions
from reference_broker.log.flushing import FolderFlush, SegmentFlush
from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.segment import Segment
from reference_broker.wire.primitives import MalformedRequest
from reference_broker.wire.records import Batch, iter_batches

SLICE_BYTES: Final = 64 * 1024
"""What is read at once, but for a batch that is larger."""
Step = int | Sequence[SegmentFlush | FolderFlush]
"""What a round has come to: so many bytes read or written, or something to flush before it goes on."""


class Uncleanable(Exception):
    """Something of the log cannot be read; the text says what and where."""


class Abandoned(Exception):
    """The log was cut, or is gone: what was begun counts for nothing."""


@dataclass(slots=True)
class Round:
    """`steps` does the work; whatever came of it, `end` is called after it."""

    log: PartitionLog
    plan: Plan
    offsets: OffsetMap
    _truncations: int = 0
    _made: Segment | None = None

    def __post_init__(self) -> None:
        self._truncations = self.log.truncations
        self.log.is_compacting = True

    @property
    def end_offset(self) -> int:
        """Up to where the log is clean after the round: where the map was full, a part is left for the next."""
        return self.offsets.latest_offset + 1

    def steps(self, now_ms: int) -> Iterator[Step]:
        """The parts of the work. Uncleanable, Abandoned, OSError."""
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

    def _read_keys(self) -> Iterator[Step]:
        """Every key from the first dirty offset on; ends early where the map is full."""
        start, end, offsets = self.plan.first_dirty, self.plan.end, self.offsets
        segments = [one for one in self.log.segments if one.base_offset < end]
        transactions = Transactions()
        for segment, following in zip(segments, [*(one.base_offset for one in segments[1:]), end], strict=False):
            if following <= start:
                continue
            transactions.expect(segment.aborted.entries)
            for batches, size in self._read(segment, segment.position_of(max(start, segment.base_offset))):
                for batch in batches:
                    if not self._note(batch, start, transactions):
                        return
                yield size
            offsets.latest_offset = following - 1

    def _note(self, batch: Batch, start: int, transactions: Transactions) -> bool:
        """Take a batch into the map; False where it has no room for all of it."""
        header, offsets = batch.header, self.offsets
        if header.is_control:
            transactions.is_unneeded(batch)
        elif not transactions.is_aborted(header):
            for span in spans_of(bytes(batch.payload()), header.records_count):
                offset = header.base_offset + span.offset_delta
                if span.key is None or offset < start:
                    continue
                if offsets.is_full:
                    return False
                offsets.put(span.key, offset)
                offsets.latest_offset = offset
        offsets.latest_offset = max(offsets.latest_offset, header.last_offset)
        return True

    def _rewrite(
        self, group: Sequence[Segment], rules: Rules, transactions: Transactions, now_ms: int
    ) -> Iterator[Step]:
        """Make one segment of some, and put it into their place."""
        log = self.log
        made = self._made = Segment(log.disk, log.directory, group[0].base_offset, log.config, suffix=CLEANED)
        made.cut(0)
        for segment in group:
            transactions.expect(segment.aborted.entries)
            for batches, size in self._read(segment, 0):
                written = made.size
                for batch in batches:
                    kept = filtered(batch, rules, transactions)
                    if kept is not None:
                        header, data = kept
                        made.append(header, (data,))
                yield size + made.size - written
        for transaction in transactions.still_there:
            made.aborted.add(transaction)
        transactions.still_there.clear()
        made.finish()
        yield [SegmentFlush(made)]
        self._check()
        made.change_suffix(SWAP)
        yield [FolderFlush(log.disk, log.directory)]
        self._check()
        replace(log, group, made, now_ms)
        self._made = None
        yield [FolderFlush(log.disk, log.directory)]

    def _read(self, segment: Segment, position: int) -> Iterator[tuple[list[Batch], int]]:
        """The batches of a segment in parts, with their bytes."""
        while position < segment.size:
            self._check()
            try:
                batches = list(iter_batches(segment.file.read_at(position, SLICE_BYTES)))
                if not batches:
                    size = segment.size_of_batch_at(position)
                    batches = list(iter_batches(segment.file.read_at(position, size)))
                if not batches:
                    raise MalformedRequest("there is no batch")
                if not all(batch.crc_is_valid() for batch in batches):
                    raise MalformedRequest("a batch does not match its checksum")
                size = sum(batch.header.size_in_bytes for batch in batches)
                yield batches, size
            except MalformedRequest as error:
                raise Uncleanable(f"{segment.stem}.log cannot be read from byte {position} on: {error}") from error
            position += size

    def _check(self) -> None:
        if self.log.truncations != self._truncations:
            raise Abandoned
