"""One segment: its batches, read from the first to the last byte, and whether its indexes fit them."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from harness.replicas.segment_batches import SegmentBatches
from reference_broker.wire.primitives import MalformedRequest
from reference_broker.wire.record_scan import scan_records
from reference_broker.wire.records import (
    DELETE_HORIZON,
    Batch,
    BatchHeader,
)

OFFSET_ENTRY: Final = struct.Struct(">ii")
TIME_ENTRY: Final = struct.Struct(">qi")
ABORTED_ENTRY: Final = struct.Struct(">hqqqq")
_KINDS: Final = {0: "aborts", 1: "commits"}


class Damage(Struct, frozen=True, kw_only=True):
    """A place that cannot be read, or does not fit the rest. `position` is in bytes; None for the file as a whole."""

    file: str
    position: int | None
    what: str


class Producer(Struct, frozen=True, kw_only=True):
    """The last batch of an idempotent producer in a segment."""

    id: int
    epoch: int
    last_sequence: int
    last_offset: int


class SegmentRead(Struct, kw_only=True):
    """What a segment holds. Offsets and timestamps (ms) are None where there is no batch; `codecs` counts batches."""

    file: str
    base_offset: int
    size_bytes: int
    first_offset: int | None = None
    last_offset: int | None = None
    first_timestamp: int | None = None
    largest_timestamp: int | None = None
    batches: int = 0
    records: int = 0
    empty_batches: int = 0
    batches_with_delete_horizon: int = 0
    transactional_batches: int = 0
    commits: int = 0
    aborts: int = 0
    codecs: dict[str, int] = field(default_factory=dict)
    leader_epochs: list[tuple[int, int]] = field(default_factory=list)
    """(epoch, the first offset of it here)."""
    producers: list[Producer] = field(default_factory=list)
    index_entries: int | None = None
    time_index_entries: int | None = None
    aborted_transactions: int = 0
    damages: list[Damage] = field(default_factory=list)


def read_segment(path: Path, *, is_last: bool, reads_records: bool) -> SegmentRead:
    """Reads a segment's files; what is wrong with them is in `damages`. OSError where the log cannot be read.

    `is_last`: an incomplete batch at its end may be one that is being written. `reads_records`: also what is in the
    batches is looked at, not only their checksums.
    """
    batches = SegmentBatches(path)
    found = SegmentRead(file=path.name, base_offset=int(path.name.partition(".")[0]), size_bytes=batches.size_bytes)
    producers: dict[int, Producer] = {}
    positions: dict[int, int] = {}
    for position, batch in batches:
        _note(found, batch, position, producers, reads_records=reads_records)
        positions[position] = batch.header.last_offset
    if batches.rest_bytes:
        _damaged(found, batches.end, _rest(batches, is_last=is_last))
    found.producers = sorted(producers.values(), key=lambda one: one.id)
    stem = path.with_suffix("")
    found.index_entries = _read_offset_index(stem.with_suffix(".index"), found, positions)
    found.time_index_entries = _read_time_index(stem.with_suffix(".timeindex"), found)
    found.aborted_transactions = _read_aborted(stem.with_suffix(".txnindex"), found)
    return found


def _rest(batches: SegmentBatches, *, is_last: bool) -> str:
    """What stands behind the last whole batch."""
    size = batches.rest_bytes
    if batches.trouble:
        return f"{batches.trouble}; the other {size:,} bytes are not read"
    if batches.is_zeros:
        return f"{size:,} bytes are zeros: the file was made longer than what was written"
    why = "a write that is going on, or that a crash cut off" if is_last else "later segments follow"
    return f"{size:,} bytes are no whole batch ({why})"


def _note(
    found: SegmentRead, batch: Batch, position: int, producers: dict[int, Producer], *, reads_records: bool
) -> None:
    header = batch.header
    if header.magic != 2:
        _damaged(found, position, f"a batch of format {header.magic}, which Kafka 4 does not read")
    elif not batch.crc_is_valid():
        _damaged(
            found,
            position,
            f"the batch of offsets {header.base_offset}..{header.last_offset} does not match its checksum",
        )
    elif reads_records:
        _look_into(found, batch, position)
    if header.base_offset < (found.base_offset if found.last_offset is None else found.last_offset + 1):
        _damaged(
            found, position, f"a batch begins at offset {header.base_offset}, and {found.last_offset} was before it"
        )
    _count(found, header)
    if header.is_control and header.records_count and header.magic == 2:
        _note_marker(found, batch)
    if header.has_producer_id:
        producers[header.producer_id] = Producer(
            id=header.producer_id,
            epoch=header.producer_epoch,
            last_sequence=header.last_sequence,
            last_offset=header.last_offset,
        )


def _count(found: SegmentRead, header: BatchHeader) -> None:
    if found.first_offset is None:
        found.first_offset, found.first_timestamp = header.base_offset, header.base_timestamp
    found.last_offset = header.last_offset
    if header.max_timestamp > (found.largest_timestamp or -1):
        found.largest_timestamp = header.max_timestamp
    found.batches += 1
    found.records += header.records_count
    found.empty_batches += not header.records_count
    found.batches_with_delete_horizon += bool(header.attributes & DELETE_HORIZON)
    found.transactional_batches += header.is_transactional and not header.is_control
    if not found.leader_epochs or found.leader_epochs[-1][0] != header.partition_leader_epoch:
        found.leader_epochs.append((header.partition_leader_epoch, header.base_offset))


def _look_into(found: SegmentRead, batch: Batch, position: int) -> None:
    header = batch.header
    try:
        name = header.compression.name.lower()
        found.codecs[name] = found.codecs.get(name, 0) + 1
        scan_records(batch.payload(), header.records_count)
    except MalformedRequest as error:
        _damaged(found, position, f"the records of offsets {header.base_offset}..{header.last_offset}: {error}")


def _note_marker(found: SegmentRead, batch: Batch) -> None:
    try:
        key = next(batch.records()).key or b""
    except MalformedRequest:
        return  # told by its checksum, or by its records
    match _KINDS.get(int.from_bytes(key[2:4], "big")) if len(key) >= 4 else None:
        case "commits":
            found.commits += 1
        case "aborts":
            found.aborts += 1


def _damaged(found: SegmentRead, position: int | None, what: str, file: str = "") -> None:
    found.damages.append(Damage(file=file or found.file, position=position, what=what))


# -- indexes --------------------------------------------------------------------------------------------------------


def _entries(path: Path, entry: struct.Struct, found: SegmentRead) -> list[tuple[int, ...]] | None:
    """The entries of a file, without the zeros behind them that an open one has; None where there is no file."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(raw) % entry.size:
        whole = len(raw) - len(raw) % entry.size
        _damaged(found, whole, f"the last {len(raw) - whole} bytes are no whole entry of {entry.size}", path.name)
        raw = raw[:whole]
    entries = list(entry.iter_unpack(raw))
    zeros = (0,) * len(entries[0]) if entries else ()
    while entries and entries[-1] == zeros:
        entries.pop()
    return entries


def _read_offset_index(path: Path, found: SegmentRead, positions: dict[int, int]) -> int | None:
    entries = _entries(path, OFFSET_ENTRY, found)
    before = (-1, -1)
    for number, (relative, position) in enumerate(entries or ()):
        at = number * OFFSET_ENTRY.size
        if relative <= before[0] or position <= before[1]:
            _damaged(found, at, f"entry {number} ({relative}, {position}) does not lie behind {before}", path.name)
            break
        if position not in positions:
            _damaged(found, at, f"entry {number} points to byte {position:,}, where no batch begins", path.name)
            break
        if found.base_offset + relative > positions[position]:
            offset = found.base_offset + relative
            _damaged(found, at, f"entry {number} says offset {offset} is in a batch that ends before it", path.name)
            break
        before = (relative, position)
    return None if entries is None else len(entries)


def _read_time_index(path: Path, found: SegmentRead) -> int | None:
    entries = _entries(path, TIME_ENTRY, found)
    before = (-1, -1)
    for number, (timestamp, relative) in enumerate(entries or ()):
        if timestamp < before[0] or relative < before[1]:
            at = number * TIME_ENTRY.size
            _damaged(found, at, f"entry {number} ({timestamp}, {relative}) does not lie behind {before}", path.name)
            break
        before = (timestamp, relative)
    return None if entries is None else len(entries)


def _read_aborted(path: Path, found: SegmentRead) -> int:
    entries = _entries(path, ABORTED_ENTRY, found) or []
    for number, (version, *_) in enumerate(entries):
        if version != 0:
            at = number * ABORTED_ENTRY.size
            _damaged(found, at, f"entry {number} has version {version}; only 0 is known", path.name)
            break
    return len(entries)
