"""Opening a partition's log: after a clean stop by its files' word, after a crash by reading every batch."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from reference_broker.environment import Disk, Random
from reference_broker.log.checkpoints import EPOCHS, PARTITION_METADATA, read_topic_id, write_topic_id
from reference_broker.log.compaction.swap import complete_swaps
from reference_broker.log.config import LogConfig
from reference_broker.log.flushing import parent_of
from reference_broker.log.indexes import CorruptIndex
from reference_broker.log.leader_epochs import LeaderEpochs
from reference_broker.log.partition_log import PartitionLog
from reference_broker.log.producer_replay import KNOWS_ALL, loading_producers
from reference_broker.log.producer_state import ProducerState
from reference_broker.log.segment import Segment
from reference_broker.log.steps import BATCHES_AT_ONCE, BYTES_AT_ONCE, Steps, done
from reference_broker.wire.primitives import ZERO_UUID, Uuid
from reference_broker.wire.records import iter_batches

TRANSIENT = (".deleted", ".tmp")
INDEXES = (".index", ".timeindex", ".txnindex")


class ForeignFolder(ValueError):
    """The folder belongs to another topic of that name."""


def open_log(**circumstances: Any) -> PartitionLog:
    """`opening_log` at once."""
    return done(opening_log(**circumstances))


def opening_log(
    *,
    disk: Disk,
    directory: str,
    topic: str,
    partition: int,
    topic_id: Uuid,
    config: LogConfig,
    is_clean: bool,
    recovery_point: int = 0,
    log_start_offset: int = 0,
    silent_since_ms: int = KNOWS_ALL,
    is_id_deferred: bool = False,
    random: Random | None = None,
    on_warning: Callable[[str], None] = lambda line: None,
) -> Steps[PartitionLog]:
    """Open or create the log in a folder, in steps.

    `random` draws the jitter of segment.jitter.ms. `is_id_deferred` leaves the writing of a new folder's topic id to
    the first append, or to a flush before it.

    After a stop that was not clean, segments from the recovery point on are read batch by batch and cut at the first
    that is torn or does not match its CRC; what was acknowledged before a flush stands before that point. A missing or
    corrupt index is rebuilt. A log that ends before it starts, since files are gone, begins anew at its start.
    `on_warning` is told of what was repaired. ForeignFolder when the folder has another topic id, ValueError when its
    file is corrupt.
    """
    disk.make_directories(directory)
    complete_swaps(disk, directory, config, on_warning)
    _remove_left_over(disk, directory)
    known_id = _known_id(disk, directory, is_clean=is_clean)
    lacks_id = known_id == ZERO_UUID and topic_id != ZERO_UUID
    if not lacks_id and topic_id not in (ZERO_UUID, known_id):
        raise ForeignFolder(f"{directory} belongs to another topic id than {topic}")
    if lacks_id and not is_id_deferred:
        write_topic_id(disk, directory, topic_id)
        disk.flush_directory(parent_of(directory))
        lacks_id = False
    segments = yield from _load_segments(
        disk, directory, config, recovery_point, is_clean=is_clean, start=log_start_offset, on_warning=on_warning
    )
    end = segments[-1].next_offset
    if end < log_start_offset:
        on_warning(f"{directory} ends at offset {end}, before its start {log_start_offset}: it begins anew there")
        for segment in reversed(segments):
            segment.remove()
        segments, end = [Segment(disk, directory, log_start_offset, config)], log_start_offset
    start = min(max(log_start_offset, segments[0].base_offset), end)
    epochs = yield from _load_epochs(disk, directory, segments, recovery_point, is_clean=is_clean)
    log = PartitionLog(
        disk=disk,
        directory=directory,
        topic=topic,
        partition=partition,
        topic_id=topic_id,
        config=config,
        segments=segments,
        producers=ProducerState(),
        epochs=epochs,
        log_start_offset=start,
        recovery_point=end if is_clean else min(recovery_point, end),
        random=random,
    )
    log.is_id_written = log.is_id_durable = not lacks_id
    log.epochs.cut_from_start(start)
    yield from loading_producers(
        disk=disk,
        directory=directory,
        segments=segments,
        producers=log.producers,
        start_offset=start,
        trusted_up_to=end if is_clean else log.recovery_point,
        silent_since_ms=silent_since_ms,
    )
    return log


def _remove_left_over(disk: Disk, directory: str) -> None:
    """Files of segments that were deleted, and indexes whose log a crash on the way took away alone."""
    names = disk.list(directory)
    logs = {name.removesuffix(".log"): None for name in names if name.endswith(".log")}
    for name in names:
        stem, _, _ = name.partition(".")
        if name.endswith(TRANSIENT) or (name.endswith(INDEXES) and stem.isdigit() and stem not in logs):
            disk.remove(f"{directory}/{name}")


def _known_id(disk: Disk, directory: str, *, is_clean: bool) -> Uuid:
    """The topic id that the folder has; a loss of power may have come before it was flushed, and before any flush."""
    try:
        return read_topic_id(disk, directory)
    except ValueError:
        if is_clean:
            raise
        disk.remove(f"{directory}/{PARTITION_METADATA}")
        return ZERO_UUID


def _load_epochs(
    disk: Disk, directory: str, segments: list[Segment], recovery_point: int, *, is_clean: bool
) -> Steps[LeaderEpochs]:
    """The leader epochs; from the recovery point on, or all where the file is corrupt, as the batches tell them.

    After a crash the file may name epochs that were lost with their batches, and lack those of batches that were not.
    """
    epochs = LeaderEpochs(disk, f"{directory}/{EPOCHS}")
    end = segments[-1].next_offset
    try:
        epochs.load()
        known_to = end if is_clean else min(recovery_point, end)
    except ValueError:
        known_to = 0
    found = [entry for entry in epochs.entries if entry[1] < known_to]
    for segment in segments:
        if segment.next_offset > known_to:
            for count, (_, header) in enumerate(segment.headers_from()):
                if not found or header.partition_leader_epoch > found[-1][0]:
                    found.append((header.partition_leader_epoch, header.base_offset))
                if count % BATCHES_AT_ONCE == BATCHES_AT_ONCE - 1:
                    yield
    epochs.replace(found, known_to)
    return epochs


def _load_segments(
    disk: Disk,
    directory: str,
    config: LogConfig,
    recovery_point: int,
    *,
    is_clean: bool,
    start: int,
    on_warning: Callable[[str], None],
) -> Steps[list[Segment]]:
    bases = sorted(int(name[:-4]) for name in disk.list(directory) if name.endswith(".log"))
    segments: list[Segment] = []
    for index, base in enumerate(bases):
        segment = Segment(disk, directory, base, config)
        segments.append(segment)
        following = bases[index + 1] if index + 1 < len(bases) else None
        is_trusted = is_clean or (following is not None and following <= recovery_point)
        if is_trusted:
            try:
                segment.load_indexes()
                continue
            except CorruptIndex as error:
                on_warning(f"{error}: the indexes of {segment.stem}.log are built anew")
                yield from recover_segment(segment)
                continue
        size = segment.size
        is_whole = yield from recover_segment(segment)
        hole = 0 if following is None else following - segment.next_offset
        # A crash may take all that was not flushed of a segment, and leave the next: only compaction makes holes.
        if not is_whole or hole < 0 or (hole and not config.is_compacted):
            surplus = bases[index + 1 :]
            on_warning(
                f"the log {directory} was not closed in order: cut at offset {segment.next_offset}, "
                f"{size - segment.size} bytes of {segment.stem}.log and {len(surplus)} later segments are gone"
            )
            for later in surplus:
                Segment(disk, directory, later, config).remove()
            break
    return segments or [Segment(disk, directory, start, config)]


def recover_segment(segment: Segment) -> Steps[bool]:
    """Read every batch, rebuild the indexes, cut what is torn or corrupt. False when something was cut."""
    segment.forget()
    end = count = rested_at = 0
    for position, header in segment.headers_from():
        if header.base_offset < segment.next_offset or header.magic != 2:
            break
        (batch,) = iter_batches(segment.read_batch(position, header))
        if not batch.crc_is_valid():
            break
        segment.note(header, position)
        end = position + header.size_in_bytes
        count += 1
        if count == BATCHES_AT_ONCE or end - rested_at >= BYTES_AT_ONCE:
            count, rested_at = 0, end
            yield
    _keep_aborted(segment)
    if end == segment.size:
        return True
    segment.cut(end)
    return False


def _keep_aborted(segment: Segment) -> None:
    """Take over what the transaction index says of batches that are still there; the replay adds the rest."""
    with contextlib.suppress(CorruptIndex):
        segment.aborted.load()
    segment.aborted.cut(segment.next_offset)
