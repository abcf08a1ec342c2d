"""What a follower does to its log: it appends batches as its leader wrote them, and cuts off what the leader lacks.

Source: KIP-101 and KIP-279 (truncation by leader epoch); KAFKA-18723 (batches of a later epoch are left for later).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_broker.log.producer_replay import load_producers
from reference_broker.log.segment import Segment
from reference_broker.wire.errors import ErrorCode
from reference_broker.wire.primitives import Buffer, MalformedRequest
from reference_broker.wire.records import Batch, iter_batches
from reference_broker.wire.refusal import KafkaError

if TYPE_CHECKING:
    from reference_broker.log.partition_log import PartitionLog


def append_as_follower(log: PartitionLog, records: Buffer, leader_epoch: int, now_ms: int) -> int:
    """Append whole batches with the offsets, epochs and checksums that they have; returns the number of bytes.

    Batches of a later epoch than `leader_epoch` are left out, and so is an incomplete batch at the end. Compaction
    leaves gaps between offsets. CORRUPT_MESSAGE where one batch cannot follow the log or the batch before it; then
    nothing is appended.
    """
    batches = _checked(log, records, leader_epoch)
    if not batches:
        return 0
    first = batches[0].header
    if first.base_offset < log.log_end_offset:
        # The leader's log starts within its first batch, which a follower that has nothing yet gets whole.
        truncate_fully(log, first.base_offset)
    for batch in batches:
        log.append_as_it_is(batch, now_ms)
    return sum(batch.header.size_in_bytes for batch in batches)


def _checked(log: PartitionLog, records: Buffer, leader_epoch: int) -> list[Batch]:
    expected, epoch = log.log_end_offset, log.epochs.latest
    batches: list[Batch] = []
    try:
        for batch in iter_batches(records):
            header = batch.header
            if header.partition_leader_epoch > leader_epoch:
                break
            is_first_of_all = not batches and log.log_end_offset == log.log_start_offset
            if header.base_offset < expected and not (is_first_of_all and header.last_offset >= expected):
                raise _corrupt(log, batch, f"offset {expected} or a later one was to come")
            if header.last_offset_delta < 0 or header.magic != 2:
                raise _corrupt(log, batch, f"its format is {header.magic}, its last offset {header.last_offset}")
            if header.partition_leader_epoch < epoch:
                raise _corrupt(log, batch, f"its leader epoch is {header.partition_leader_epoch}, after {epoch}")
            if not batch.crc_is_valid():
                raise _corrupt(log, batch, "it does not match its checksum")
            expected, epoch = header.next_offset, header.partition_leader_epoch
            batches.append(batch)
    except MalformedRequest as error:
        raise KafkaError(ErrorCode.CORRUPT_MESSAGE, f"{log.name}: {error}") from error
    return batches


def _corrupt(log: PartitionLog, batch: Batch, why: str) -> KafkaError:
    return KafkaError(ErrorCode.CORRUPT_MESSAGE, f"{log.name}: the leader sent a batch at {batch.header[0]}: {why}")


def truncate_to(log: PartitionLog, offset: int) -> None:
    """Drop the batch that holds an offset and all after it.

    Nothing else of the log is read, but for the producers that it knows: their state comes from the last snapshot
    before the cut, and the batches since.
    """
    if offset >= log.log_end_offset:
        # Whoever led without appending anything has noted an epoch that begins at the end: it never was.
        log.epochs.cut_from_end(log.log_end_offset)
        return
    while len(log.segments) > 1 and log.segments[-1].base_offset >= offset:
        log.segments.pop().remove()
    segment = log.segments[-1]
    if offset <= segment.base_offset:
        segment.remove()
        log.segments[-1] = segment = Segment(log.disk, log.directory, offset, log.config)
        log.has_new_files = True
    else:
        segment.truncate(segment.position_of(offset))
    _end_at(log, segment.next_offset)
    if not log.producers.producers and not log.producers.completed:
        _remove_snapshots(log, log.log_end_offset)
        return
    load_producers(
        disk=log.disk,
        directory=log.directory,
        segments=log.segments,
        producers=log.producers,
        start_offset=log.log_start_offset,
        trusted_up_to=log.log_end_offset,
    )


def truncate_fully(log: PartitionLog, start_offset: int) -> None:
    """Drop everything; the log goes on at an offset that may be beyond its end (the leader deleted what is between).

    The newest segment goes first, so that a crash on the way leaves no hole.
    """
    while log.segments:
        log.segments.pop().remove()
    log.segments.append(Segment(log.disk, log.directory, start_offset, log.config))
    log.has_new_files = True
    log.epochs.cut_from_end(-1)
    _end_at(log, start_offset)
    log.log_start_offset = start_offset
    log.high_watermark = log.recovery_point = start_offset
    log.producers.clear()
    _remove_snapshots(log, -1)


def truncate_to_prefix(log: PartitionLog, other: PartitionLog) -> None:
    """Cut what another log lacks, by both logs' leader epochs: what is left is a part of it, from some offset on."""
    while log.epochs.latest >= 0:
        epoch = log.epochs.latest
        found, end = other.end_offset_for_epoch(epoch)
        if found == epoch:
            truncate_to(log, end)
            return
        _, start = log.epochs.entries[-1]
        truncate_to(log, start)
        if log.epochs.latest == epoch:
            return  # nothing is left
    truncate_to(log, other.log_start_offset)


def _remove_snapshots(log: PartitionLog, beyond: int) -> None:
    """Snapshots of the producers at offsets that the log no longer reaches."""
    for name in log.disk.list(log.directory):
        if name.endswith(".snapshot") and int(name[:-9]) > beyond:
            log.disk.remove(f"{log.directory}/{name}")


def _end_at(log: PartitionLog, end_offset: int) -> None:
    log.truncations += 1
    log.log_end_offset = end_offset
    log.log_start_offset = min(log.log_start_offset, end_offset)
    log.epochs.cut_from_end(end_offset)
    log.high_watermark = min(log.high_watermark, end_offset)
    log.recovery_point = min(log.recovery_point, end_offset)
