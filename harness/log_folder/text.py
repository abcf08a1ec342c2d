"""A log folder in lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from harness.log_folder.folder import FolderRead, PartitionRead
from harness.log_folder.segment import Damage, SegmentRead

_STATES = {
    "delete": "of a deleted topic",
    "future": "on its way to this folder",
    "stray": "set aside: not in the metadata",
}


def folder_lines(found: FolderRead, *, is_detailed: bool) -> Iterator[str]:
    """What the folder says of itself, a line for each partition or all of one, what is damaged, and the sum."""
    names = ", ".join(f"{name} {value}" for name, value in found.properties.items() if name != "version")
    yield f"folder      {found.path}{f' · {names}' if names else ''}"
    if found.was_stopped_in_order:
        epoch = "" if found.broker_epoch is None else f" (broker epoch {found.broker_epoch})"
        yield f"state       the broker was stopped in order{epoch}"
    else:
        yield "state       a broker uses it, or was not stopped in order: the ends of logs may be incomplete"
    yield ""
    if is_detailed:
        for partition in found.partitions:
            yield from _partition_lines(partition)
    else:
        yield from _table(found.partitions)
    damages = list(found.all_damages)
    for damage in found.damages:
        yield _damage_line("", damage)
    for partition in found.partitions:
        yield from (_damage_line(f"{partition.folder}/", damage) for damage in partition.all_damages)
    segments = [one for partition in found.partitions for one in partition.segments]
    size = sum(one.size_bytes for one in segments)
    sums = _count(len(found.partitions), "partition"), _count(len(segments), "segment"), f"{size:,} bytes"
    yield " · ".join([*sums, _count(len(damages), "place") + " damaged"])


def _table(partitions: list[PartitionRead]) -> Iterator[str]:
    rows: list[tuple[str, ...]] = [("partition", "offsets", "records", "bytes", "segments", "largest timestamp", "")]
    rows += [_row(one) for one in partitions]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            text.rjust(width) if place in (2, 3, 4) else text.ljust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
    yield ""


def _row(found: PartitionRead) -> tuple[str, ...]:
    latest = max((one.largest_timestamp or -1 for one in found.segments), default=-1)
    notes = [_STATES[found.state]] if found.state in _STATES else []
    if found.compacted_up_to is not None:
        notes.append(f"compacted up to {found.compacted_up_to}")
    if found.left_over:
        notes.append(f"{_count(len(found.left_over), 'file')} left over")
    return (
        found.folder,
        _offsets(_start(found), found.end_offset),
        f"{sum(one.records for one in found.segments):,}",
        f"{sum(one.size_bytes for one in found.segments):,}",
        str(len(found.segments)),
        _time(latest),
        "; ".join(notes),
    )


def _start(found: PartitionRead) -> int:
    first = found.segments[0].base_offset if found.segments else 0
    return max(found.log_start or 0, first)


def _offsets(start: int, end: int) -> str:
    return f"{start}..{end - 1}" if end > start else f"none from {start} on"


def _partition_lines(found: PartitionRead) -> Iterator[str]:
    state = f" · {_STATES[found.state]}" if found.state in _STATES else ""
    yield f"{found.folder} · topic id {found.topic_id or 'not known'}{state}"
    known = (
        ("log start", found.log_start),
        ("high watermark", found.high_watermark),
        ("recovery point", found.recovery_point),
        ("compacted up to", found.compacted_up_to),
    )
    yield f"  offsets         {_offsets(_start(found), found.end_offset)}"
    told = [f"{name} {offset}" for name, offset in known if offset is not None]
    yield f"  checkpoints     {' · '.join(told) or 'name none of its offsets'}"
    epochs = [f"{epoch} from {start}" for epoch, start in found.leader_epochs]
    yield f"  leader epochs   {' · '.join(epochs) or 'none'}"
    if found.producer_snapshots:
        told = [f"{_count(count, 'producer')} at {int(name[:-9])}" for name, count in found.producer_snapshots.items()]
        yield f"  snapshots       {' · '.join(told)}"
    if found.left_over:
        yield f"  left over       {' · '.join(found.left_over)}"
    for segment in found.segments:
        yield from _segment_lines(segment)
    yield ""


def _segment_lines(found: SegmentRead) -> Iterator[str]:
    yield f"  {found.file} · {found.size_bytes:,} bytes"
    if found.first_offset is None or found.last_offset is None:
        yield "    holds no batch"
        return
    what = [_count(found.records, "record"), f"{_count(found.batches, 'batch', 'batches')}"]
    if found.empty_batches:
        what.append(f"{found.empty_batches:,} of them emptied by compaction")
    if found.batches_with_delete_horizon:
        what.append(f"{found.batches_with_delete_horizon:,} with a delete horizon")
    yield f"    offsets       {found.first_offset}..{found.last_offset} · {' · '.join(what)}"
    yield f"    timestamps    up to {_time(found.largest_timestamp or -1)}"
    if found.codecs:
        yield f"    compression   {' · '.join(f'{name} {count:,}' for name, count in sorted(found.codecs.items()))}"
    yield f"    leader epochs {' · '.join(f'{epoch} from {start}' for epoch, start in found.leader_epochs)}"
    if found.producers:
        told = [
            f"{one.id} (epoch {one.epoch}, last sequence {one.last_sequence}, at {one.last_offset})"
            for one in found.producers[:10]
        ]
        more = len(found.producers) - len(told)
        yield f"    producers     {' · '.join(told)}{f' · and {more:,} more' if more else ''}"
    if found.transactional_batches or found.commits or found.aborts:
        batches = _count(found.transactional_batches, "batch", "batches")
        index = f"{found.aborted_transactions:,} in the index of aborted ones"
        told = [batches, _count(found.commits, "commit"), _count(found.aborts, "abort"), index]
        yield f"    transactions  {' · '.join(told)}"
    indexes = (("offset index", found.index_entries), ("time index", found.time_index_entries))
    told = [f"{name} {'absent' if count is None else f'{count:,} entries'}" for name, count in indexes]
    yield f"    indexes       {' · '.join(told)}"


def _damage_line(where: str, damage: Damage) -> str:
    position = "" if damage.position is None else f" at byte {damage.position:,}"
    return f"damaged     {where}{damage.file}{position}: {damage.what}"


def _count(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def _time(timestamp_ms: int) -> str:
    if timestamp_ms < 0:
        return "no timestamp"
    try:
        when = datetime.fromtimestamp(timestamp_ms / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return f"{timestamp_ms} ms"
    return f"{when:%Y-%m-%d %H:%M:%S}.{timestamp_ms % 1000:03d} UTC"
